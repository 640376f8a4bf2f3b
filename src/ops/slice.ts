/** Slice: ranges of positions along axes. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { addDimensions, divideDimensions, subtractDimensions } from "./dimension.ts";
import { numbersOf, rearrange, unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

/** Ends at or beyond this mean "to the end of the axis": no axis is longer, and exporters write this or INT_MAX. */
const TO_THE_END = 1e9;

interface Cut {
  readonly start: Dimension;
  readonly end: Dimension;
  readonly step: Dimension;
}

function inferSlice(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const { dtype, shape } = input;
  if (!shape) return [{ dtype }];
  const cuts = cutsOf(node, context, shape);
  if (!cuts) return [{ dtype, shape: unknownLengths(shape.length) }];
  const result = shape.map((length, axis) => (cuts[axis] ? cutLength(length, cuts[axis]) : length));
  const elements = rearrange(input, result, (position) =>
    position.map((place, axis) => (cuts[axis] ? sourcePlace(place, shape[axis] as number, cuts[axis]) : place)),
  );
  return [{ dtype, shape: result, elements }];
}

/** Returns the cut of each axis; undefined when it is not known which axes are cut. */
function cutsOf(node: Node, context: InferenceContext, shape: Shape): readonly (Cut | undefined)[] | undefined {
  const list = (name: string, index: number): readonly Dimension[] | undefined =>
    node.ints(name) ?? context.input(index).elements;
  const starts = list("starts", 1);
  const ends = list("ends", 2);
  const count = starts?.length ?? ends?.length ?? context.input(1).shape?.[0] ?? context.input(2).shape?.[0];
  const axesGiven = node.attributes.has("axes") || node.inputs[3] !== undefined;
  const axes = axesGiven ? (node.ints("axes") ?? numbersOf(context.input(3))) : undefined;
  if ((axesGiven && !axes) || (!axes && typeof count !== "number")) return undefined;
  const steps = node.inputs[4] ? context.input(4).elements : [];
  const cuts = new Array<Cut | undefined>(shape.length).fill(undefined);
  (axes ?? Array.from({ length: count as number }, (_, axis) => axis)).forEach((axis, index) => {
    cuts[normalizeAxis(node, axis, shape.length)] = {
      start: starts?.[index] ?? null,
      end: ends?.[index] ?? null,
      step: steps ? (node.inputs[4] ? (steps[index] ?? null) : 1) : null,
    };
  });
  return cuts;
}

function cutLength(length: Dimension, cut: Cut): Dimension {
  const { start, end, step } = cut;
  if (typeof step !== "number" || step === 0) return null;
  if (typeof length === "number") {
    // Positions cut from a table (rotary embeddings, causal masks): the model can only run when the table is long enough.
    if (start === 0 && step === 1 && typeof end === "string") return end;
    if (typeof start !== "number" || typeof end !== "number") return length === 0 ? 0 : null;
    const [from, to] = clampCut(length, start, end, step);
    return Math.max(Math.ceil((to - from) / step), 0);
  }
  const from = symbolicEnd(start, length);
  const to = symbolicEnd(end, length);
  if (step < 0 || length === null || to !== length) return null;
  if (from === 0) return step === 1 ? length : divideDimensions(length, step);
  // The last place: a symbolic length is at least 1.
  return subtractDimensions(to, from) === 1 ? 1 : null;
}

/** Returns a start or end on an axis of symbolic length, counted from the front. */
function symbolicEnd(position: Dimension, length: Dimension): Dimension {
  if (typeof position !== "number") return position;
  if (position >= TO_THE_END) return length;
  return position < 0 ? addDimensions(length, position) : position;
}

/** Returns start and end as places on the axis, from the front and within it. */
function clampCut(length: number, start: number, end: number, step: number): readonly [number, number] {
  const front = (position: number): number => (position < 0 ? position + length : position);
  const clamp = (position: number, low: number, high: number): number => Math.min(Math.max(position, low), high);
  if (step > 0) return [clamp(front(start), 0, length), clamp(front(end), 0, length)];
  return [clamp(front(start), 0, length - 1), clamp(front(end), -1, length - 1)];
}

function sourcePlace(place: number, length: number, cut: Cut): number {
  const step = cut.step as number;
  return clampCut(length, cut.start as number, cut.end as number, step)[0] + place * step;
}

/** Slice. */
export const slice: readonly Operator[] = family(["Slice"], { infer: inferSlice });
