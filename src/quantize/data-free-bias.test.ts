/** Bias correction without data: that of Nagel et al. 2019, arXiv:1906.04721, section 4.2, from batch norms alone. */
import { expect, it } from "vitest";
import { floatsOf, layerWeights } from "./quantize-layer.ts";
import { draftOf } from "./refinements/draft.cases.ts";
import { numbers, programOf, weights } from "./small-models.cases.ts";

const BETA = [0.5, -1, 2, 0];
const GAMMA = [1, 2, 0.5, 3];

/** The expectation of min(max(X, 0), high) for normal X, by summing over a fine grid. */
function clippedMean(mean: number, sigma: number, high: number): number {
  let sum = 0;
  const step = 1e-4;
  for (let z = -8; z < 8; z += step) {
    const x = Math.min(Math.max(mean + sigma * z, 0), high);
    sum += (x * Math.exp((-z * z) / 2) * step) / Math.sqrt(2 * Math.PI);
  }
  return sum;
}

it.each([
  ["ReLU", Number.POSITIVE_INFINITY],
  ["ReLU6", 6],
])("shifts biases by the expected error of the weights behind a batch norm and %s", async (_, high) => {
  const program = programOf({ x: ["batch", 4, 6, 6] }, (e, { x }) => {
    const convolved = e.emit("Conv", [x!, weights("w1", [4, 4, 1, 1])]);
    const parameters = [GAMMA, BETA, [1, 2, 3, 4], [1, 1, 2, 2]].map((values, i) => numbers(`n${i}`, [4], values));
    const normalized = e.emit("BatchNormalization", [convolved, ...parameters], { output: "normalized" });
    const bounded =
      high === 6
        ? e.emit("Clip", [normalized, numbers("low", [], [0]), numbers("high", [], [6])])
        : e.emit("Relu", [normalized]);
    return [e.emit("Conv", [bounded, weights("w2", [5, 4, 3, 3], 0.3), weights("b2", [5])], { output: "y" })];
  });
  const draft = await draftOf(program, undefined);
  const layer = draft.layers.at(-1)!;
  const { weights: quantized, biasShift } = draft.weights.get(layer)!;
  const [exact, rounded] = [layerWeights(layer), floatsOf(layer, quantized)];
  const inputs = BETA.map((beta, c) => clippedMean(beta, GAMMA[c]!, high));
  const expected = Array.from({ length: 5 }, (_, output) => {
    let sum = 0;
    for (let i = 0; i < 36; i++) {
      const at = output * 36 + i;
      sum += (exact[at]! - rounded[at]!) * inputs[Math.floor(i / 9)]!;
    }
    return sum;
  });
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-3);
  for (const [c, shift] of expected.entries()) expect(Math.abs(biasShift![c]! - shift)).toBeLessThan(1e-5);
});
