/** Angles: how far rounding turns a tensor, measured and predicted. */
import { OptionError, ShapeError } from "../errors.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";

/** What the angle of a rounded tensor is predicted from. */
export interface AngleOptions {
  /** Bits of a code; fractions are allowed. */
  readonly bits: number;
  /** Numbers in the tensor: at least 2. */
  readonly count: number;
  /** `stochastic` doubles the variance of the errors. Default "nearest". */
  readonly rounding?: "nearest" | "stochastic";
}

/**
 * Returns the cosine of the angle between two tensors of one shape, from -1 to 1; 1 for two tensors of zeros and 0 where one of them
 * is. Exact for small angles too: it is computed from the difference.
 *
 * @throws ShapeError if the shapes differ.
 * @example
 * tensorCosine(float32([2], [1, 0]), float32([2], [1, 1])); // 0.7071
 */
export function tensorCosine(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join()) {
    throw new ShapeError(
      `tensorCosine: both tensors must have one shape, got [${a.shape.join(", ")}] and [${b.shape.join(", ")}].`,
    );
  }
  const [x, y] = [toNumbers(a), toNumbers(b)];
  let [squares, products, errors] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const error = y[i]! - x[i]!;
    squares += x[i]! ** 2;
    products += x[i]! * error;
    errors += error ** 2;
  }
  return cosineOfSums({ squares, products, errors });
}

/** Sums over a tensor x and the error e of another one, x + e. */
export interface ErrorSums {
  /** sum x^2 */
  readonly squares: number;
  /** sum x e */
  readonly products: number;
  /** sum e^2 */
  readonly errors: number;
}

/** The cosine between x and x + e: x (x + e) / (|x| |x + e|). */
export function cosineOfSums({ squares, products, errors }: ErrorSums): number {
  const others = squares + 2 * products + errors;
  if (squares <= 0 || others <= 0) return squares <= 0 && others <= 0 ? 1 : 0;
  // sin^2 = (|x|^2 |e|^2 - (x e)^2) / (|x|^2 |x + e|^2), as the cosine of a small angle is 1 in rounded numbers.
  const sine = Math.max(0, (errors - products ** 2 / squares) / others);
  return Math.sign(squares + products) * Math.sqrt(Math.max(0, 1 - sine));
}

/**
 * Returns the cosine that is expected between a Gaussian tensor of N numbers and its codes of M bits from the least to the largest number:
 *
 *   cos = 1 / sqrt(1 + r^2),  r = sqrt(2 ln N / 3) / 2^M
 *
 * The error is uniform in +-s/2 with s = 2 sigma sqrt(2 ln N) / 2^M, and at right angles to the tensor. Heavier tails turn more.
 *
 * @throws OptionError if bits are not positive, or there are fewer than 2 numbers.
 * @see arXiv:1805.11046, section 3; the sharp value for a grid from minimum to maximum
 * @example
 * predictedCosine({ bits: 8, count: 1e6 }); // 0.99993
 */
export function predictedCosine({ bits, count, rounding = "nearest" }: AngleOptions): number {
  assertAngle("predictedCosine", bits, count);
  const share = Math.sqrt((2 * Math.log(count)) / 3) / 2 ** bits;
  return 1 / Math.sqrt(1 + share ** 2 * (rounding === "stochastic" ? 2 : 1));
}

/**
 * Returns the paper's lower bound of the cosine between N Gaussian numbers and their codes with steps of max|x| / 2^M:
 * 2^M / (2^M + sqrt(ln N / 6)). It leaves out that errors are at right angles to the tensor.
 *
 * @throws OptionError if bits are not positive, or there are fewer than 2 numbers.
 * @see arXiv:1805.11046, section 3
 * @example
 * cosineBound({ bits: 8, count: 1e6 }); // 0.9941
 */
export function cosineBound({ bits, count }: Pick<AngleOptions, "bits" | "count">): number {
  assertAngle("cosineBound", bits, count);
  return 2 ** bits / (2 ** bits + Math.sqrt(Math.log(count) / 6));
}

function assertAngle(where: string, bits: number, count: number): void {
  if (!(bits > 0)) throw new OptionError(`${where}: bits must be positive, got ${bits}.`);
  if (!(count >= 2)) throw new OptionError(`${where}: count must be at least 2, got ${count}.`);
}
