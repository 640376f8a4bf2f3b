/** Printing programs as text: one line a node, for people, messages and reviewed files. */
import { type DType, elementCount, toNumbers } from "../tensor/index.ts";
import type { Attribute } from "./attribute.ts";
import type { Constant } from "./constant.ts";
import type { Graph } from "./graph.ts";
import type { Node } from "./node.ts";
import type { Program } from "./program.ts";
import type { Shape, Value } from "./value.ts";

/** Constants of at most this many elements are printed with their numbers. */
const PRINTED_ELEMENTS = 8;

/**
 * Returns a program as text: the operator sets, then for each graph its inputs, constants and nodes in order, and its outputs.
 * Equal programs give equal text; values without a name, or with a name that another has, are told apart by a number.
 *
 * @example
 * // main(x: float32[batch, 3]) -> y
 * //   weight = float32[4, 3]
 * //   y: float32[batch, 4] = MatMul(x, weight)
 */
export function printProgram(program: Program): string {
  const opsets = Array.from(program.opsets, ([domain, version]) => `${domain || "ai.onnx"} ${version}`);
  const functions = program.functions.map(({ domain, name }) => `function ${domain ? `${domain}.` : ""}${name}`);
  return [`opset ${opsets.join(", ")}`, ...functions, ...graphLines(program.graph, new Labels(), ""), ""].join("\n");
}

/** Gives each value a label of its own: its name, or with a number when that is taken. */
class Labels {
  readonly #labels = new Map<Value, string>();
  readonly #taken = new Set<string>();
  readonly #numbers = new Map<string, number>();

  of(value: Value | undefined): string {
    if (!value) return "_";
    const known = this.#labels.get(value);
    if (known) return known;
    const label = this.#free(value.name);
    this.#taken.add(label);
    this.#labels.set(value, label);
    return label;
  }

  #free(name: string): string {
    if (name && !this.#taken.has(name)) return name;
    for (let number = (this.#numbers.get(name) ?? (name ? 1 : 0)) + 1; ; number++) {
      this.#numbers.set(name, number);
      const label = `${name}${name ? "#" : "%"}${number}`;
      if (!this.#taken.has(label)) return label;
    }
  }
}

function graphLines(graph: Graph, labels: Labels, indent: string): string[] {
  const declared = (value: Value): string => labels.of(value) + typeSuffix(value);
  const inputs = graph.inputs.map(declared).join(", ");
  const outputs = graph.outputs.map((value) => labels.of(value)).join(", ");
  const printed = new Set<Value>();
  const constants: string[] = [];
  const printConstant = (value: Value): void => {
    if (!value.constant || printed.has(value)) return;
    printed.add(value);
    constants.push(`${indent}  ${labels.of(value)} = ${constantText(value.constant)}`);
  };
  graph.initializers.forEach(printConstant);
  if (indent === "") for (const value of usedValues(graph)) printConstant(value);
  return [
    `${indent}${graph.name || "graph"}(${inputs}) -> ${outputs}`,
    ...constants,
    ...graph.nodes.flatMap((node) => nodeLines(node, labels, `${indent}  `)),
  ];
}

/** Values used in a graph, in order of first use, and those of its sub-graphs that these do not list themselves. */
function* usedValues(graph: Graph, listed: ReadonlySet<Value> = new Set()): Generator<Value> {
  for (const node of graph.nodes) {
    for (const input of node.inputs) if (input && !listed.has(input)) yield input;
    for (const inner of node.subgraphs) yield* usedValues(inner, new Set([...listed, ...inner.initializers]));
  }
  for (const output of graph.outputs) if (!listed.has(output)) yield output;
}

function nodeLines(node: Node, labels: Labels, indent: string): string[] {
  const outputs = node.outputs.map((value) => (value ? labels.of(value) + typeSuffix(value) : "_")).join(", ");
  const inputs = node.inputs.map((value) => labels.of(value));
  const attributes = [...node.attributes]
    .filter(([, { kind }]) => kind !== "graph" && kind !== "graphs")
    .map(([name, attribute]) => `${name}=${attributeText(attribute)}`);
  const operator = node.domain ? `${node.domain}.${node.operator}` : node.operator;
  return [
    `${indent}${outputs} = ${operator}(${[...inputs, ...attributes].join(", ")})`,
    ...[...node.attributes].flatMap(([name, attribute]) => subgraphLines(name, attribute, labels, indent)),
  ];
}

function subgraphLines(name: string, attribute: Attribute, labels: Labels, indent: string): string[] {
  if (attribute.kind !== "graph" && attribute.kind !== "graphs") return [];
  const graphs = attribute.kind === "graph" ? [attribute.value] : attribute.value;
  return graphs.flatMap((graph) => [`${indent}  ${name}:`, ...graphLines(graph, labels, `${indent}    `)]);
}

function typeSuffix({ dtype, shape, otherType }: Value): string {
  if (!dtype) return otherType ? ": (not a tensor)" : "";
  return `: ${typeText(dtype, shape)}`;
}

function typeText(dtype: DType, shape: Shape | undefined): string {
  return shape ? `${dtype}[${shape.map((length) => length ?? "?").join(", ")}]` : dtype;
}

function constantText(constant: Constant): string {
  const type = typeText(constant.dtype, constant.shape);
  if (elementCount(constant.shape) > PRINTED_ELEMENTS) return type;
  if (constant.dtype === "string") return `${type} ${JSON.stringify(constant.load().data)}`;
  if (/^(float[468]e|complex)/.test(constant.dtype)) return type;
  return `${type} {${Array.from(toNumbers(constant.load()), numberText).join(", ")}}`;
}

/** Seven digits tell all float32 numbers of a model apart that anyone will compare by eye. */
function numberText(x: number): string {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(7)));
}

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case "int":
      return String(attribute.value);
    case "float":
      return `${numberText(attribute.value)}f`;
    case "string":
      return JSON.stringify(new TextDecoder().decode(attribute.value));
    case "ints":
      return `[${attribute.value.join(", ")}]`;
    case "floats":
      return `[${attribute.value.map((x) => `${numberText(x)}f`).join(", ")}]`;
    case "strings":
      return JSON.stringify(attribute.value.map((text) => new TextDecoder().decode(text)));
    case "tensor":
      return constantText(attribute.value);
    case "tensors":
      return `[${attribute.value.map(constantText).join("; ")}]`;
    case "reference":
      return `@${attribute.value}`;
    default:
      return "(opaque)";
  }
}
