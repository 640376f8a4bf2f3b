/** The numbers that variables start with. */
import type { Variable } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import { arrayOf, elementCount, int64, numberToHalf, seededRandom, Tensor } from "../tensor/index.ts";
import { SEED, type StepVariable } from "./train-step.ts";

/**
 * Returns the first numbers of every variable, by path. Each variable has a random generator of its own, seeded by `seed` and
 * its path: adding a layer leaves all others as they were.
 *
 * @param given What some variables start with instead: what is derived from those follows them.
 */
export function initialVariables(
  variables: readonly StepVariable[],
  seed: number,
  given: Readonly<Record<string, Tensor>> = {},
): Record<string, Tensor> {
  const known = new Map<string, Tensor>();
  const startOf = (path: string): Tensor => {
    const variable = variables.find((one) => one.path === path)!;
    const start =
      known.get(path) ??
      givenStart(variable, given) ??
      (path === SEED ? int64([seed], []) : initialTensor(variable, seed, startOf));
    known.set(path, start);
    return start;
  };
  return Object.fromEntries(variables.map(({ path }) => [path, startOf(path)]));
}

/** A tensor of another shape is an error that others describe better. */
function givenStart({ path, shape }: StepVariable, given: Readonly<Record<string, Tensor>>): Tensor | undefined {
  return given[path]?.shape.join() === shape.join() ? given[path] : undefined;
}

/**
 * Returns the first numbers of one variable.
 *
 * @param startOf Returns what another variable starts with; for starts that are derived from it.
 * @throws ShapeError if its initializer makes too many or too few.
 */
export function initialTensor(
  variable: Omit<Variable, "value">,
  seed: number,
  startOf?: (path: string) => Tensor,
): Tensor {
  const { path, shape, dtype, initial } = variable;
  if (initial instanceof Tensor) return initial;
  const numbers =
    typeof initial === "function"
      ? initial(shape, seededRandom(hashOf(path, seed)))
      : initial.numbers(startOf!(initial.from));
  if (numbers.length !== elementCount(shape)) {
    throw new ShapeError(
      `${path}: its initializer must make ${elementCount(shape)} numbers for shape [${shape.join(", ")}], got ${numbers.length}.`,
    );
  }
  if (dtype === "float16") return new Tensor(dtype, shape, Uint16Array.from(numbers, numberToHalf));
  const data = new (arrayOf(dtype))(numbers.length);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < numbers.length; i++) data[i] = wide ? BigInt(numbers[i]!) : numbers[i]!;
  return new Tensor(dtype, shape, data);
}

/** FNV-1a over the path's code units, started from the seed. */
function hashOf(path: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return hash;
}
