/** Reverse-mode differentiation: turns a program into a larger program that also computes gradients. */
import type { GradientContext, GradientRule, Ops } from "../build/index.ts";
import { ShapeError, UnsupportedError } from "../errors.ts";
import type { Node, Value } from "../program/index.ts";
import { isFloat } from "../tensor/index.ts";
import { noGradient } from "./rules/marks.ts";
import { findGradientRule } from "./rules.ts";

/**
 * Writes the gradient of a scalar with respect to other values of the same graph.
 *
 * The gradient is itself made of ONNX operators: it can be differentiated again, printed, or written to a file.
 *
 * @param ops Where the values were written; the gradient's nodes are appended there.
 * @param y The value to differentiate: a scalar, such as a loss.
 * @param inputs What to differentiate with respect to: graph inputs, constants or results of nodes.
 * @returns One gradient per input, shaped as the input; undefined where y does not depend on the input.
 * @throws UnsupportedError naming every node on the way whose operator has no gradient rule.
 * @throws ShapeError if y is not a scalar.
 * @example
 * const ops = new Ops();
 * const x = ops.input("x", "float32", [3]);
 * const [dx] = gradients(ops, ops.reduceSum(ops.square(x), { keepDims: false }), [x]);
 */
export function gradients(ops: Ops, y: Value, inputs: readonly Value[]): (Value | undefined)[] {
  const shape = ops.shapeOf(y);
  if (shape.some((length) => length !== 1)) {
    throw new ShapeError(
      `gradients: what is differentiated must be a scalar, got "${y.name}" of shape [${shape.join(", ")}]. ` +
        "Reduce it with reduceMean or reduceSum.",
    );
  }
  return differentiate(ops, [y], [ops.full(shape, 1, y.dtype)], inputs);
}

/**
 * Writes the gradient of `sum over i of <outputs[i], outputGradients[i]>` with respect to other values of the same graph: a
 * vector-Jacobian product. See `gradients`.
 *
 * @param outputGradients Shaped as the outputs; undefined stands for zeros.
 * @param independent Whether inputs count as independent of each other even where one is computed from another: the partial
 *   derivatives of a function of all of them, rather than total ones. Default false.
 */
export function differentiate(
  ops: Ops,
  outputs: readonly Value[],
  outputGradients: readonly (Value | undefined)[],
  inputs: readonly Value[],
  { independent = false }: { readonly independent?: boolean } = {},
): (Value | undefined)[] {
  const path = nodesBetween(ops.writer.graph.nodes, inputs, outputs, independent);
  assertDifferentiable(path);
  const sums = new GradientSums(ops);
  outputs.forEach((output, index) => {
    sums.add(output, outputGradients[index]);
  });
  for (const { node, dependent } of path.reverse()) {
    const known = node.outputs.some((output) => output && sums.get(output));
    if (!known) continue;
    const context = new NodeContext(node, ops.at(scopeOf(node)), sums, dependent);
    const results = ruleOf(node)!(context);
    node.inputs.forEach((input, index) => {
      if (input && dependent.has(input)) sums.add(input, results[index]);
    });
  }
  return inputs.map((input) => sums.get(input));
}

/** A node on a path from an input to an output, with the values that depend on the inputs. */
interface PathNode {
  readonly node: Node;
  readonly dependent: ReadonlySet<Value>;
}

/** Returns, in execution order, the nodes through which some output depends on some input. */
function nodesBetween(
  nodes: readonly Node[],
  inputs: readonly Value[],
  outputs: readonly Value[],
  independent: boolean,
): PathNode[] {
  const leaves = new Set<Value | undefined>(independent ? inputs : []);
  const dependent = new Set<Value>(inputs);
  const after: Node[] = [];
  for (const node of nodes) {
    if (!carriers(node).some((input) => dependent.has(input)) && !usesInside(node, dependent)) continue;
    after.push(node);
    // Integers and booleans carry no gradient: paths end there.
    for (const output of node.outputs) if (output && isFloat(output.dtype)) dependent.add(output);
  }
  const needed = new Set<Value>(outputs);
  const between: PathNode[] = [];
  for (const node of after.reverse()) {
    const used = (output: Value | undefined) =>
      output && needed.has(output) && dependent.has(output) && !leaves.has(output);
    if (!node.outputs.some(used)) continue;
    between.push({ node, dependent });
    for (const input of carriers(node)) if (dependent.has(input)) needed.add(input);
  }
  return between.reverse();
}

/** Returns the inputs that gradients flow to: none where the gradient is zero by rule, not the results behind a custom gradient. */
function carriers(node: Node): Value[] {
  if (ruleOf(node) === noGradient) return [];
  const custom = node.domain === "modicum" && node.operator === "CustomGradient";
  const inputs = custom ? node.inputs.slice(0, -node.outputs.length) : node.inputs;
  return inputs.filter((input) => input !== undefined);
}

/** Whether a sub-graph of the node uses one of the values directly. */
function usesInside(node: Node, values: ReadonlySet<Value>): boolean {
  const isUsed = (value: Value | undefined) => value !== undefined && values.has(value);
  return node.subgraphs.some(
    (graph) =>
      graph.outputs.some(isUsed) || graph.nodes.some((inner) => inner.inputs.some(isUsed) || usesInside(inner, values)),
  );
}

function ruleOf(node: Node): GradientRule | undefined {
  return (node.gradient as GradientRule | undefined) ?? findGradientRule(node.operator, node.domain);
}

function assertDifferentiable(path: readonly PathNode[]): void {
  const without = path.filter(({ node }) => !ruleOf(node)).map(({ node }) => node.label);
  if (without.length === 0) return;
  throw new UnsupportedError(
    `gradients: every operator between the loss and what is trained must have a gradient, got none for ${without.join(", ")}. ` +
      "Train only what comes after them, put stopGradient there, or give them one with customGradient.",
  );
}

/** The layer a node was written for: its name without the operator. */
function scopeOf(node: Node): string {
  const slash = node.name.lastIndexOf("/");
  return slash < 0 ? "" : node.name.slice(0, slash);
}

/** The gradients found so far; several for one value are added when the value is asked for. */
class GradientSums {
  readonly #ops: Ops;
  readonly #parts = new Map<Value, Value[]>();

  constructor(ops: Ops) {
    this.#ops = ops;
  }

  add(value: Value, gradient: Value | undefined): void {
    if (!gradient) return;
    const parts = this.#parts.get(value);
    if (parts) parts.push(gradient);
    else this.#parts.set(value, [gradient]);
  }

  get(value: Value): Value | undefined {
    const parts = this.#parts.get(value);
    if (!parts) return undefined;
    const sum = parts.reduce((a, b) => this.#ops.add(a, b));
    this.#parts.set(value, [sum]);
    return sum;
  }
}

class NodeContext implements GradientContext {
  readonly node: Node;
  readonly ops: Ops;
  readonly #sums: GradientSums;
  readonly #dependent: ReadonlySet<Value>;

  constructor(node: Node, ops: Ops, sums: GradientSums, dependent: ReadonlySet<Value>) {
    this.node = node;
    this.ops = ops;
    this.#sums = sums;
    this.#dependent = dependent;
  }

  gradient(index: number): Value | undefined {
    const output = this.node.outputs[index];
    return output && this.#sums.get(output);
  }

  get dy(): Value {
    const dy = this.gradient(0);
    if (dy) return dy;
    throw new Error(`internal: ${this.node.label} has no gradient at its first output; its rule must ask for each.`);
  }

  needs(index: number): boolean {
    const input = this.node.inputs[index];
    return input !== undefined && this.#dependent.has(input);
  }

  differentiate(
    outputs: readonly Value[],
    outputGradients: readonly (Value | undefined)[],
    inputs: readonly Value[],
  ): (Value | undefined)[] {
    const gradients = differentiate(this.ops, outputs, outputGradients, inputs, { independent: true });
    // The engine adds up what a rule returns for one value: an operand given twice gets the sum once.
    return gradients.map((gradient, index) => (inputs.indexOf(inputs[index]!) === index ? gradient : undefined));
  }
}
