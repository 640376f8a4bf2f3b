/** Giving a program's inputs concrete shapes, and its symbols the numbers that follow. */
import { OptionError, ShapeError } from "../errors.ts";
import { type Program, type Shape, staticShape, type Value } from "../program/index.ts";
import { substitute } from "./dimension.ts";
import { formatShape } from "./shape-check.ts";

/** What follows from concrete input shapes. */
export interface BoundInputs {
  readonly shapes: ReadonlyMap<Value, readonly number[]>;
  /** The number of each symbol. */
  readonly symbols: ReadonlyMap<string, number>;
}

/**
 * Binds graph inputs, given by name, to concrete shapes, and symbols to lengths.
 *
 * @throws OptionError for a name that is no input or a length that is no count; ShapeError when a shape contradicts the
 *   declared one, or two shapes give one symbol different lengths.
 */
export function bindInputs(
  program: Program,
  inputShapes: Readonly<Record<string, readonly number[]>>,
  lengths: Readonly<Record<string, number>> = {},
): BoundInputs {
  const shapes = new Map<Value, readonly number[]>();
  const symbols = new Map(Object.entries(lengths));
  for (const [name, shape] of Object.entries(inputShapes)) {
    const input = program.graph.inputs.find((value) => value.name === name);
    if (!input) {
      const known = program.graph.inputs.map((value) => value.name).join(", ");
      throw new OptionError(`inputShapes: each name must be an input of the model, got "${name}". Inputs: ${known}.`);
    }
    if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0))
      throw new OptionError(`inputShapes: lengths of "${name}" must be whole numbers >= 0, got ${formatShape(shape)}.`);
    shapes.set(input, shape);
    bindSymbols(name, input.shape ?? shape, shape, symbols);
  }
  for (const [input, shape] of shapes) assertBound(input, shape, symbols);
  return { shapes, symbols };
}

function bindSymbols(name: string, declared: Shape, shape: readonly number[], symbols: Map<string, number>): void {
  if (declared.length !== shape.length) throw contradiction(name, declared, shape);
  declared.forEach((length, axis) => {
    if (typeof length !== "string" || isAnonymous(length)) return;
    const before = symbols.get(length);
    if (before !== undefined && before !== shape[axis])
      throw new ShapeError(
        `inputShapes: "${length}" must have one length everywhere, got ${before} and ${shape[axis]}.`,
      );
    symbols.set(length, shape[axis]!);
  });
}

function assertBound(input: Value, shape: readonly number[], symbols: ReadonlyMap<string, number>): void {
  const declared = (staticShape(input) ?? input.shape ?? shape).map((length) => substitute(length, symbols));
  const fits = declared.every((length, axis) => typeof length !== "number" || length === shape[axis]);
  if (!fits) throw contradiction(input.name, input.shape, shape);
}

function contradiction(name: string, declared: Shape | undefined, shape: Shape): ShapeError {
  return new ShapeError(
    `inputShapes: the shape of "${name}" must fit ${formatShape(declared)}, got ${formatShape(shape)}.`,
  );
}

/** Returns whether a dimension's name is one that exporters give to every unknown length, so that it says nothing. */
export function isAnonymous(name: string): boolean {
  return name.trim() === "" || name === "?" || name === "None" || name === "-1";
}
