/** A block as a program of its own, and writing it into a program that is built. */
import type { Scope } from "../build/index.ts";
import { upgradeOpset } from "../onnx/index.ts";
import { cloneProgram, DEFAULT_OPSET, type Node, type Program, removeDeadNodes, type Value } from "../program/index.ts";
import type { Block } from "./blocks.ts";

/** A block cut out of its program. */
export interface BlockProgram {
  /** The block alone, with names that are unique, at the newest operator set. */
  readonly program: Program;
  /** Names of its values, by the values of the program it was cut out of; values that are gone have none. */
  readonly names: ReadonlyMap<Value, string>;
  /** Name of the value it starts from; undefined for a first block. */
  readonly input: string | undefined;
  readonly output: string;
  /** Inputs of the whole program that it reads, by the names they have there, with the names they have here. */
  readonly feeds: ReadonlyMap<string, string>;
}

/** Cuts a block out of its program, which stays as it is, with what it needs of nodes that depend on no layer. */
export function blockProgram(whole: Program, block: Block, others: readonly Block[]): BlockProgram {
  const { program, values } = cloneProgram(whole);
  const { graph } = program;
  const elsewhere = new Set(others.flatMap((other) => (other === block ? [] : other.nodes)));
  graph.nodes = graph.nodes.filter((_, index) => !elsewhere.has(whole.graph.nodes[index]!));
  const names = new Map<Value, string>();
  for (const [original, copy] of values) {
    copy.name = `value.${names.size}`;
    names.set(original, copy.name);
  }
  const input = block.input && values.get(block.input)!;
  if (input) input.producer = undefined;
  graph.outputs = [values.get(block.output)!];
  removeDeadNodes(graph);
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  const used = whole.graph.inputs.filter((one) => one !== block.input && read.has(values.get(one)!));
  graph.inputs = [...(input ? [input] : []), ...used.map((one) => values.get(one)!)];
  return {
    program: upgradeOpset(program, DEFAULT_OPSET),
    names,
    input: input?.name,
    output: names.get(block.output)!,
    feeds: new Map(used.map((one) => [one.name, names.get(one)!])),
  };
}

/** What is done with a block's nodes and values while it is written. */
export interface BlockHooks {
  /** Sees each node before it is written, with its inputs in place: it may put others there, such as weights that are learned. */
  node(node: Node): void;
  /** Returns what the readers of a value read: the value rounded, for example. Sees the block's inputs and all results. */
  result(value: Value, name: string): Value;
}

/**
 * Writes a block's nodes into the program that is built, and returns its output.
 *
 * @param inputs Values for the block's inputs, by the names they have in the block.
 */
export function writeBlock(
  { program: block }: BlockProgram,
  inputs: ReadonlyMap<string, Value>,
  scope: Scope,
  hooks: BlockHooks,
): Value {
  const { graph, opsets } = cloneProgram(block).program;
  const { writer } = scope.ops;
  writer.raiseOpset(opsets);
  const placed = new Map<Value, Value>();
  const current = (value: Value): Value => placed.get(value) ?? value;
  for (const input of graph.inputs) placed.set(input, hooks.result(inputs.get(input.name)!, input.name));
  for (const node of graph.nodes) {
    placeInputs(node, current);
    hooks.node(node);
    node.name = `${scope.path ? `${scope.path}/` : ""}${node.operator}_${writer.nextNumber()}`;
    // Recorded shapes are those of other batches; they are inferred anew.
    for (const value of node.outputs) if (value) value.shape = undefined;
    writer.append(node);
    for (const value of node.outputs) if (value) placed.set(value, hooks.result(value, value.name));
  }
  return current(graph.outputs[0]!);
}

function placeInputs(node: Node, current: (value: Value) => Value): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = current(input);
  });
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes) placeInputs(inner, current);
    graph.outputs = graph.outputs.map(current);
  }
}
