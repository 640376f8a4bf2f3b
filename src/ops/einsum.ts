/** Einsum: products and sums of tensors, by an equation over axis labels. */
import { ShapeError } from "../errors.ts";
import { type Dimension, type Node, type Shape, staticShape } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

interface Equation {
  readonly operands: readonly string[];
  /** Undefined when the equation has no arrow: then the labels that occur once, in order. */
  readonly output: string | undefined;
}

const ELLIPSIS = "...";

function parseEquation(node: Node): Equation {
  const [left, output] = node.string("equation", "").replaceAll(" ", "").split("->");
  return { operands: left!.split(","), output };
}

interface Labels {
  readonly lengths: Map<string, Dimension>;
  /** Shape that `...` stands for, broadcast over the operands. */
  readonly ellipsis: Shape;
}

/** Gives each label its length; undefined when an operand's rank is unknown. */
function bindLabels(
  node: Node,
  operands: readonly string[],
  shapes: readonly (Shape | undefined)[],
): Labels | undefined {
  if (operands.length !== shapes.length) {
    throw new ShapeError(
      `${node.label}: the equation must have one operand per input, got ${operands.length} for ${shapes.length} inputs.`,
    );
  }
  const lengths = new Map<string, Dimension>();
  let ellipsis: Shape = [];
  for (const [index, operand] of operands.entries()) {
    const shape = shapes[index];
    if (!shape) return undefined;
    const [before, after] = operand.split(ELLIPSIS) as [string, string | undefined];
    const named = before.length + (after?.length ?? 0);
    if (after === undefined ? named !== shape.length : named > shape.length)
      throw shapeMismatch(node, `operand "${operand}" must fit its input`, shape);
    const middle = shape.length - (after?.length ?? 0);
    if (after !== undefined) ellipsis = broadcastShapes(node, ellipsis, shape.slice(before.length, middle))!;
    [...before].forEach((label, axis) => {
      bindLabel(node, lengths, label, shape[axis]!, shape);
    });
    [...(after ?? "")].forEach((label, axis) => {
      bindLabel(node, lengths, label, shape[middle + axis]!, shape);
    });
  }
  return { lengths, ellipsis };
}

function bindLabel(node: Node, lengths: Map<string, Dimension>, label: string, length: Dimension, shape: Shape): void {
  const known = lengths.get(label) ?? null;
  if (dimensionsDiffer(known, length) && known !== 1 && length !== 1)
    throw shapeMismatch(node, `axis "${label}" must have length ${known}`, shape);
  if (known === null || known === 1 || typeof length === "number")
    lengths.set(label, length === 1 ? (known ?? 1) : length);
}

function inferEinsum(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype } = context.input(0);
  const { operands, output } = parseEquation(node);
  const labels = bindLabels(
    node,
    operands,
    node.inputs.map((_, index) => context.input(index).shape),
  );
  if (!labels) return [{ dtype }];
  const [before, after] = (output ?? implicitOutput(operands)).split(ELLIPSIS) as [string, string | undefined];
  const named = (text: string): Shape => [...text].map((label) => labels.lengths.get(label) ?? null);
  return [{ dtype, shape: [...named(before), ...(after === undefined ? [] : labels.ellipsis), ...named(after ?? "")] }];
}

function implicitOutput(operands: readonly string[]): string {
  const labels = operands.join("").replaceAll(".", "");
  const once = [...labels].filter((label) => labels.indexOf(label) === labels.lastIndexOf(label)).sort();
  return (operands.some((operand) => operand.includes(ELLIPSIS)) ? ELLIPSIS : "") + once.join("");
}

/** One product per combination of labels, for each operand after the first; sums alone count as none. */
function countEinsum(node: Node): number | undefined {
  const { operands } = parseEquation(node);
  if (operands.length < 2) return 0;
  const shapes = node.inputs.map((input) => input && staticShape(input));
  const labels = bindLabels(node, operands, shapes);
  if (!labels) return undefined;
  const lengths = [...labels.lengths.values(), ...labels.ellipsis] as number[];
  return lengths.reduce((product, length) => product * length, operands.length - 1);
}

/** Einsum. */
export const einsum: readonly Operator[] = family(["Einsum"], { since: 12, infer: inferEinsum, macs: countEinsum });
