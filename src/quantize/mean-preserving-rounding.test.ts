import { expect, test } from "vitest";
import { seededRandom } from "../tensor/index.ts";
import { symmetricGrid } from "./grid.ts";
import { preserveMeans } from "./mean-preserving-rounding.ts";
import { quantizePerChannel } from "./quantize-values.ts";

const OUTPUTS = 6;
const INPUTS = 40;
const BITS = 4;

function layer(seed: number) {
  const random = seededRandom(seed);
  const weights = Float32Array.from({ length: OUTPUTS * INPUTS }, () => random.normal());
  const means = Float64Array.from({ length: INPUTS }, () => random.normal() + 0.5);
  const variances = Float64Array.from({ length: INPUTS }, () => random.uniform() * 2);
  const grids = Array.from({ length: OUTPUTS }, () => symmetricGrid(3, BITS));
  const where = { shape: [OUTPUTS, INPUTS] };
  const nearest = quantizePerChannel(weights, grids, where) as Int8Array;
  const codes = nearest.slice();
  preserveMeans(weights, codes, grids, where, () => ({ means, variances }));
  return { weights, means, variances, grids, nearest, codes };
}

/** The expected squared error that is to be lessened, with rho^2 = 0.25, of one output in steps. */
function expectedError({ weights, means, variances, grids }: ReturnType<typeof layer>, codes: Int8Array, c: number) {
  let sum = 0;
  let spread = 0;
  for (let k = 0; k < INPUTS; k++) {
    const d = weights[c * INPUTS + k]! / grids[c]!.scale - codes[c * INPUTS + k]!;
    sum += means[k]! * d;
    spread += variances[k]! * d * d;
  }
  return 0.25 * sum * sum + spread;
}

test("codes move by at most one step, stay within their bits, and each channel's expected error is never larger", () => {
  let moved = 0;
  for (let seed = 0; seed < 10; seed++) {
    const made = layer(seed);
    for (let i = 0; i < made.codes.length; i++) {
      expect(Math.abs(made.codes[i]! - made.nearest[i]!)).toBeLessThanOrEqual(1);
      expect(Math.abs(made.codes[i]! + 0.5)).toBeLessThanOrEqual(7.5);
      if (made.codes[i] !== made.nearest[i]) moved++;
    }
    for (let c = 0; c < OUTPUTS; c++) {
      expect(expectedError(made, made.codes, c)).toBeLessThanOrEqual(expectedError(made, made.nearest, c) + 1e-9);
    }
  }
  expect(moved).toBeGreaterThan(OUTPUTS);
});

/** The same by sorting all moves by what they cost per unit of error they remove. */
function movedBySorting({ weights, means, variances, grids, nearest }: ReturnType<typeof layer>, c: number): number[] {
  const codes = Array.from(nearest.subarray(c * INPUTS, (c + 1) * INPUTS));
  const remainders = codes.map((code, k) => weights[c * INPUTS + k]! / grids[c]!.scale - code);
  let error = remainders.reduce((sum, remainder, k) => sum + means[k]! * remainder, 0);
  const towards = Math.sign(error);
  const moves = remainders
    .map((remainder, k) => {
      const step = towards * Math.sign(means[k]!);
      return { k, step, cost: variances[k]! * (1 - 2 * step * remainder) };
    })
    .filter(({ k, step }) => Math.abs(codes[k]! + step + 0.5) <= 7.5)
    .sort((a, b) => a.cost / Math.abs(means[a.k]!) - b.cost / Math.abs(means[b.k]!));
  for (const { k, step, cost } of moves) {
    if (Math.sign(error) !== towards) break;
    const after = error - step * means[k]!;
    if (0.25 * (after * after - error * error) + cost >= 0) continue;
    codes[k]! += step;
    error = after;
  }
  return codes;
}

test("the moves are those of a greedy choice among all, cheapest first", () => {
  for (let seed = 0; seed < 20; seed++) {
    const made = layer(seed);
    for (let c = 0; c < OUTPUTS; c++) {
      expect(Array.from(made.codes.subarray(c * INPUTS, (c + 1) * INPUTS))).toEqual(movedBySorting(made, c));
    }
  }
});

test("channels whose axis is last are rounded as if they were first", () => {
  const made = layer(3);
  const transposed = new Float32Array(made.weights.length);
  for (let c = 0; c < OUTPUTS; c++) {
    for (let k = 0; k < INPUTS; k++) transposed[k * OUTPUTS + c] = made.weights[c * INPUTS + k]!;
  }
  const where = { shape: [INPUTS, OUTPUTS], axis: 1 };
  const codes = quantizePerChannel(transposed, made.grids, where) as Int8Array;
  preserveMeans(transposed, codes, made.grids, where, () => made);
  for (let c = 0; c < OUTPUTS; c++) {
    for (let k = 0; k < INPUTS; k++) expect(codes[k * OUTPUTS + c]).toBe(made.codes[c * INPUTS + k]);
  }
});
