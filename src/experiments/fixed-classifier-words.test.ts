import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { seededRandom } from "../tensor/index.ts";
import type { Estimate } from "./estimate.ts";
import type { Lab } from "./experiment.ts";
import {
  trainWords,
  WORD_HEADS,
  type WordHead,
  type WordTask,
  wordClaims,
  wordTable,
} from "./fixed-classifier-words.ts";

/** Words in a circle: w0 w1 ... w19 w0 ..., with a rare word now and then. */
function circle(): string {
  const random = seededRandom(1);
  const words = Array.from({ length: 3000 }, (_, i) => (random.uniform() < 0.02 ? `rare${i}` : `w${i % 20}`));
  return words.join(" ");
}

const TASK: WordTask = {
  recipe: {
    model: { name: "char-lstm", width: 0.0625, depth: 1 },
    data: { set: "words", length: 10 },
    epochs: 3,
    batch: { size: 20 },
    optimizer: { kind: "adam" },
    learningRate: 0.02,
    evaluation: { every: 3 },
  },
  vocabulary: 21,
  features: 8,
  seconds: 1,
};

describeUnless(reasonWithoutOnnxRuntimeNode(), "language models with fixed heads", () => {
  let runtime: Runtime;
  let folder = "";
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
    folder = await mkdtemp(join(tmpdir(), "modicum-words-"));
    await writeFile(join(folder, "circle.txt"), circle());
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(WORD_HEADS)("learn with a head of vectors that are $key", async ({ key }) => {
    const lab: Partial<Lab> = {
      seed: 1,
      runtime,
      signal: new AbortController().signal,
      dataSet: (name) => ({ set: `${name}:${join(folder, "circle.txt")}`, data: undefined as never }),
      progress: () => undefined,
    };
    const { perplexity, unknown } = await trainWords(lab as Lab, TASK, key);
    // Guessing among 21 words has a perplexity of 21; knowing the circle, about 1 and what the rare words cost.
    expect(perplexity).toBeGreaterThan(1);
    expect(perplexity).toBeLessThan(15);
    expect(unknown).toBeGreaterThan(0.5);
    expect(unknown).toBeLessThan(5);
  });
});

it("perplexities are compared seed by seed", () => {
  const found: Record<WordHead, number[]> = {
    learned: [50, 60],
    tied: [50, 63],
    information: [60, 66],
    random: [90, 99],
  };
  const of = (key: WordHead) => found[key].map((perplexity) => ({ perplexity, unknown: 23 }));
  const measured = wordClaims(of).map((claim) => claim.measured.mean);
  expect(measured[0]).toBeCloseTo((1 + 63 / 60) / 2, 12);
  expect(measured[1]).toBeCloseTo((1.2 + 1.1) / 2, 12);
  expect(measured[2]).toBeCloseTo(1.5, 12);
  const ratios = wordTable(TASK, of).rows.map((row) => (row.ratio as Estimate).mean);
  expect(ratios[0]).toBe(1);
  expect(ratios[3]).toBeCloseTo((1.8 + 1.65) / 2, 12);
});
