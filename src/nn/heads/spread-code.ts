/** Directions spread over the sphere, for more classes than features. */
import { seededRandom } from "../../tensor/index.ts";
import { zeros } from "../initializers.ts";
import type { ClassCode } from "./class-code.ts";
import type { SeededCodeOptions } from "./orthogonal-code.ts";
import { simplexCode } from "./simplex-code.ts";

/** Multiplications that are spent on spreading: about ten seconds. */
const BUDGET = 2e10;
const MOST_STEPS = 300;
const LEAST_STEPS = 10;

/**
 * Returns a code of low coherence for any number of classes: rows of length 1 whose largest cosine is made small by descent along the
 * softened maximum of each row's cosines, from random directions. Up to features + 1 classes it is the simplex, which is the best.
 *
 * A learned scale starts at 10, biases at 0. A thousand classes take seconds when the network is built.
 *
 * @see Mettes, van der Pol, Snoek 2019, "Hyperspherical prototype networks", arXiv:1901.10514
 * @example
 * nn.fixedHead({ code: nn.spreadCode() });
 */
export function spreadCode({ seed = 123 }: SeededCodeOptions = {}): ClassCode {
  return {
    name: "spread",
    initialScale: () => 10,
    initialBias: zeros,
    prototypes: (classes, features) =>
      classes >= 2 && classes <= features + 1
        ? simplexCode({ seed }).prototypes(classes, features)
        : { matrix: () => spread(classes, features, seed) },
  };
}

function spread(classes: number, features: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const rows = Float64Array.from({ length: classes * features }, () => random.normal());
  for (let c = 0; c < classes; c++) normalizeRow(rows, c, features);
  const affordable = Math.floor(BUDGET / (2 * classes * classes * features));
  const steps = Math.max(LEAST_STEPS, Math.min(MOST_STEPS, affordable));
  for (let step = 0; step < steps; step++) {
    const progress = step / steps;
    // A sharper maximum and a shorter stride as it goes on: first everybody moves away from all, then from the nearest.
    moveApart(rows, classes, features, { sharpness: 10 + 90 * progress, stride: 0.2 * (1 - progress) });
  }
  return rows;
}

/** Moves each row against the softmax-weighted mean of the others, all at once. */
function moveApart(
  rows: Float64Array,
  classes: number,
  features: number,
  { sharpness, stride }: { readonly sharpness: number; readonly stride: number },
): void {
  const before = rows.slice();
  const pull = new Float64Array(features);
  const weights = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    const row = before.subarray(c * features, (c + 1) * features);
    for (let other = 0; other < classes; other++) {
      let cosine = 0;
      for (let j = 0; j < features; j++) cosine += row[j]! * before[other * features + j]!;
      weights[other] = other === c ? 0 : Math.exp(sharpness * (cosine - 1));
    }
    pull.fill(0);
    for (let other = 0; other < classes; other++) {
      const weight = weights[other]!;
      for (let j = 0; j < features; j++) pull[j]! += weight * before[other * features + j]!;
    }
    const along = pull.reduce((sum, value, j) => sum + value * row[j]!, 0);
    const sideways = pull.map((value, j) => value - along * row[j]!);
    const length = Math.hypot(...sideways);
    if (length === 0) continue;
    for (let j = 0; j < features; j++) rows[c * features + j]! -= (stride * sideways[j]!) / length;
    normalizeRow(rows, c, features);
  }
}

function normalizeRow(rows: Float64Array, row: number, features: number): void {
  const vector = rows.subarray(row * features, (row + 1) * features);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  for (let j = 0; j < features; j++) vector[j]! /= length;
}
