import { expect, it } from "vitest";
import type { Program } from "../../program/index.ts";
import { dataOf, programOf, randomFeeds, weights } from "../small-models.cases.ts";
import { contextOf, draftOf, outputsOf, partsOf } from "./draft.cases.ts";
import { reEstimation } from "./re-estimation.ts";
import type { Draft } from "./refinement.ts";
import { simulateDraft } from "./simulate-draft.ts";

const CHANNELS = 6;

function network(): Program {
  const padded = { attributes: { pads: [1, 1, 1, 1] } };
  return programOf({ x: ["batch", 3, 8, 8] }, (e, { x }) => {
    const first = e.emit("Relu", [e.emit("Conv", [x!, weights("w1", [8, 3, 3, 3], 0.3)], padded)]);
    return [e.emit("Conv", [first, weights("w2", [CHANNELS, 8, 3, 3], 0.2), weights("b2", [CHANNELS])], padded)];
  });
}

const feeds = Array.from({ length: 8 }, (_, seed) => randomFeeds(network(), seed + 1, { lengths: { batch: 1 } }));

/** Mean and deviation of each channel of the output over all samples. */
function moments(outputs: readonly Float32Array[]) {
  return Array.from({ length: CHANNELS }, (_, c) => {
    const values = outputs.flatMap((output) => [
      ...output.subarray((c * output.length) / CHANNELS, ((c + 1) * output.length) / CHANNELS),
    ]);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) };
  });
}

const outputMoments = async (draft: Draft) => moments(await outputsOf(simulateDraft(draft).program, feeds));

it("gives every channel the mean and the deviation that it has in the float model", async () => {
  const start = await draftOf(network(), dataOf(feeds), {
    weights: 2,
    activations: 16,
    correction: "none",
    target: "portable",
  });
  const wanted = moments(await outputsOf(network(), feeds));
  const before = await outputMoments(start);
  const parts = await partsOf(reEstimation(), start, contextOf(dataOf(feeds)));
  expect(parts.at(-1)).toMatchObject({ done: 2, total: 2, unit: "layer" });
  const after = await outputMoments(parts.at(-1)!.draft);
  const apart = (reached: typeof wanted) =>
    Math.max(
      ...reached.map(
        ({ mean, deviation }, c) => Math.abs(mean - wanted[c]!.mean) + Math.abs(deviation / wanted[c]!.deviation - 1),
      ),
    );
  // At 2 bits much is wrong; a gain is bounded, so that a deviation may stay off.
  expect(apart(before)).toBeGreaterThan(0.2);
  expect(apart(after)).toBeLessThan(0.02);
});
