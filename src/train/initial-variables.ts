/** The numbers that variables start with. */
import type { Variable } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import { arrayOf, elementCount, int64, numberToHalf, seededRandom, Tensor } from "../tensor/index.ts";
import { SEED, type StepVariable } from "./train-step.ts";

/**
 * Returns the first numbers of every variable, by path. Each variable has a random generator of its own, seeded by `seed` and
 * its path: adding a layer leaves all others as they were.
 */
export function initialVariables(variables: readonly StepVariable[], seed: number): Record<string, Tensor> {
  return Object.fromEntries(
    variables.map((variable) => [
      variable.path,
      variable.path === SEED ? int64([seed], []) : initialTensor(variable, seed),
    ]),
  );
}

/** Returns the first numbers of one variable. @throws ShapeError if its initializer makes too many or too few. */
export function initialTensor(variable: Omit<Variable, "value">, seed: number): Tensor {
  const { path, shape, dtype, initial } = variable;
  if (initial instanceof Tensor) return initial;
  const numbers = initial(shape, seededRandom(hashOf(path, seed)));
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
