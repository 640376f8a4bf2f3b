/** Known contents of small tensors: the numbers that shapes are computed from. */
import type { Constant, Dimension, Node, Shape } from "../program/index.ts";
import { type DType, elementCount, toNumbers } from "../tensor/index.ts";
import type { Fact, InferenceContext } from "./operator.ts";

/** Contents of larger tensors are not followed: they are data, not shapes. */
const MOST_ELEMENTS = 1024;

/** More axes than any tensor has. */
const MOST_AXES = 64;

const READABLE: ReadonlySet<DType> = new Set<DType>([
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float32",
  "float64", // biome-ignore format: a table
]);

/** Returns what is known about a constant; its elements only when there are few. */
export function constantFact(constant: Constant): Fact {
  const { dtype, shape } = constant;
  if (!READABLE.has(dtype) || elementCount(shape) > MOST_ELEMENTS) return { dtype, shape };
  return { dtype, shape, elements: [...toNumbers(constant.load())] };
}

/** Returns elements if there are few enough to be worth following. */
export function fewElements(elements: readonly Dimension[] | undefined): readonly Dimension[] | undefined {
  return elements && elements.length <= MOST_ELEMENTS ? elements : undefined;
}

/** Returns the number of elements of a static shape if contents of such a tensor are followed, else undefined. */
export function followedCount(shape: Shape | undefined): number | undefined {
  if (!shape?.every((length) => typeof length === "number" && Number.isInteger(length) && length >= 0))
    return undefined;
  const count = elementCount(shape as readonly number[]);
  return count <= MOST_ELEMENTS ? count : undefined;
}

/** Returns the elements if all of them are numbers. */
export function numbersOf(fact: Fact): readonly number[] | undefined {
  return fact.elements?.every((element) => typeof element === "number")
    ? (fact.elements as readonly number[])
    : undefined;
}

/** Returns a list given by an attribute in old operator sets and by an input in newer ones; undefined when not known. */
export function attributeOrInput(
  node: Node,
  context: InferenceContext,
  name: string,
  index: number,
): readonly number[] | undefined {
  return node.ints(name) ?? numbersOf(context.input(index));
}

/** Returns whether a list is given at all, as an attribute or as an input. */
export function isGiven(node: Node, name: string, index: number): boolean {
  return node.attributes.has(name) || node.inputs[index] !== undefined;
}

/** Returns the length of a vector input; null when it is unknown. */
export function vectorLength(fact: Fact): Dimension {
  return fact.elements?.length ?? fact.shape?.[0] ?? null;
}

/** Returns a shape of known rank whose lengths are unknown; undefined for a rank that is unknown or makes no sense. */
export function unknownLengths(rank: Dimension | undefined): Shape | undefined {
  const sensible = typeof rank === "number" && rank >= 0 && rank <= MOST_AXES;
  return sensible ? new Array<null>(rank).fill(null) : undefined;
}

/**
 * Returns the elements of a tensor whose every element is one of another's; `from` maps a position in the result to one in
 * the source. Undefined when contents or shapes are unknown or too large to follow.
 */
export function rearrange(
  source: Fact,
  shape: Shape | undefined,
  from: (position: readonly number[]) => readonly number[],
): readonly Dimension[] | undefined {
  const count = followedCount(shape);
  if (count === undefined || !source.elements || followedCount(source.shape) === undefined) return undefined;
  const lengths = shape as readonly number[];
  const sourceLengths = source.shape as readonly number[];
  const position = new Array<number>(lengths.length);
  return Array.from({ length: count }, (_, index) => {
    let rest = index;
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      position[axis] = rest % lengths[axis]!;
      rest = Math.floor(rest / lengths[axis]!);
    }
    const at = from(position).reduce((offset, place, axis) => offset * sourceLengths[axis]! + place, 0);
    return source.elements![at] ?? null;
  });
}

/** Returns the elements of a tensor broadcast to a shape. */
export function broadcastElements(source: Fact, shape: Shape | undefined): readonly Dimension[] | undefined {
  const own = source.shape;
  if (!own || !shape) return undefined;
  const added = shape.length - own.length;
  return rearrange(source, shape, (position) =>
    own.map((length, axis) => (length === 1 ? 0 : position[axis + added]!)),
  );
}
