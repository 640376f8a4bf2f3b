/** Putting together what is known about a value from two sides. */
import { DTypeError } from "../errors.ts";
import type { Dimension, Node, Shape } from "../program/index.ts";
import { dimensionsDiffer } from "./dimension.ts";
import type { Fact } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

/**
 * Returns all that two true statements about one value say: the file's declaration and what a rule inferred.
 *
 * @throws ShapeError, DTypeError if they contradict each other.
 */
export function mergeFacts(node: Node, name: string, declared: Fact, inferred: Fact): Fact {
  if (declared.dtype && inferred.dtype && declared.dtype !== inferred.dtype) {
    throw new DTypeError(
      `${node.label}: "${name}" must have the declared element type ${declared.dtype}, got ${inferred.dtype}.`,
    );
  }
  return {
    ...inferred,
    dtype: inferred.dtype ?? declared.dtype,
    shape: mergeShapes(node, name, declared.shape, inferred.shape),
  };
}

function mergeShapes(
  node: Node,
  name: string,
  declared: Shape | undefined,
  inferred: Shape | undefined,
): Shape | undefined {
  if (!declared || !inferred) return inferred ?? declared;
  const contradict =
    declared.length !== inferred.length || declared.some((length, axis) => dimensionsDiffer(length, inferred[axis]!));
  if (contradict) throw shapeMismatch(node, `"${name}" must have its declared shape`, declared, inferred);
  return inferred.map((length, axis) => mergeLength(declared[axis]!, length));
}

function mergeLength(declared: Dimension, inferred: Dimension): Dimension {
  if (typeof inferred === "number" || declared === null) return inferred;
  return typeof declared === "number" ? declared : (inferred ?? declared);
}

/** Returns what is true of a value that is either of two: branches of an If, iterations of a Loop. */
export function joinFacts(a: Fact, b: Fact): Fact {
  const join = (x: readonly Dimension[], y: readonly Dimension[]) =>
    x.map((length, index) => (length === y[index] ? length : null));
  const sameRank = a.shape && b.shape && a.shape.length === b.shape.length;
  const shape = sameRank ? join(a.shape, b.shape!) : undefined;
  const sameCount = a.elements && b.elements && a.elements.length === b.elements.length;
  return {
    dtype: a.dtype === b.dtype ? a.dtype : undefined,
    shape,
    elements: sameCount && shape ? join(a.elements, b.elements!) : undefined,
    items: a.items && b.items ? joinFacts(a.items, b.items) : undefined,
  };
}

/** Returns whether two facts say the same. */
export function sameFact(a: Fact, b: Fact): boolean {
  const sameList = (x: readonly Dimension[] | undefined, y: readonly Dimension[] | undefined): boolean =>
    x === y || (x?.length === y?.length && x!.every((length, index) => length === y![index]));
  return (
    a.dtype === b.dtype &&
    sameList(a.shape, b.shape) &&
    sameList(a.elements, b.elements) &&
    (a.items === b.items || (!!a.items && !!b.items && sameFact(a.items, b.items)))
  );
}
