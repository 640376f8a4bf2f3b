import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { openTrainingData } from "../files/index.ts";
import type { RecipeInput } from "../fit/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { Tensor } from "../tensor/index.ts";
import type { Lab } from "./experiment.ts";
import { measureOutcomes } from "./measure-outcomes.ts";
import { normalizedSamples } from "./normalized-samples.ts";
import { unpackOutcomes } from "./right-or-wrong.ts";
import { trainNetwork } from "./train-network.ts";

const RECIPE: RecipeInput = {
  model: { name: "mlp", width: 0.1 },
  data: { set: "example" },
  epochs: 3,
  batch: { size: 50 },
  learningRate: 0.05,
};

describeUnless(reasonWithoutOnnxRuntimeNode(), "trainNetwork", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "modicum-train-network-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function lab(name: string, more: Partial<Lab> = {}): Promise<Lab> {
    const example = { set: "example", data: await openTrainingData("example") };
    return {
      seed: 1,
      runtime: await nodeRuntime(),
      signal: new AbortController().signal,
      folder: join(folder, name),
      dataSet: () => example,
      result: () => undefined,
      progress: () => {},
      spentBefore: () => {},
      ...more,
    };
  }

  it("goes on after a stop, and comes to the same network", async () => {
    const whole = await trainNetwork(await lab("whole"), "mlp", RECIPE);
    const stop = new AbortController();
    const progress = (fraction: number) => fraction > 0.5 && stop.abort();
    await expect(trainNetwork(await lab("cut", { signal: stop.signal, progress }), "mlp", RECIPE)).rejects.toThrow(
      /abort/i,
    );
    let before = 0;
    const spentBefore = (seconds: number) => {
      before += seconds;
    };
    const resumed = await trainNetwork(await lab("cut", { spentBefore }), "mlp", RECIPE);
    expect(before).toBeGreaterThan(0);
    expect(resumed.seconds).toBeGreaterThan(before);
    expect(await readFile(resumed.modelPath)).toEqual(await readFile(whole.modelPath));
    expect(resumed.curve).toEqual(whole.curve);
    expect(whole.curve.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    // A finished network is not trained again.
    expect((await trainNetwork(await lab("cut"), "mlp", RECIPE)).curve).toEqual(whole.curve);
  });

  it("writes a network that does on normalized samples what it did in training", async () => {
    const here = await lab("measured");
    const { modelPath, curve } = await trainNetwork(here, "mlp", RECIPE);
    const samples = { dataSet: "example", calibrationSamples: 1, testSamples: 100 };
    const { top1, right } = await measureOutcomes(here, { bytes: await readFile(modelPath), external: [] }, samples);
    expect(top1).toBe(curve.at(-1)!.top1);
    expect(unpackOutcomes(right).reduce((sum, value) => sum + value, 0)).toBe(top1);
  });

  it("normalizes channel by channel", async () => {
    const { train } = await openTrainingData("example");
    const { x } = await train.sample(7);
    const two = { ...train, sample: async () => ({ x: new Tensor("uint8", [2, 14, 28], x!.data) }) };
    const normalized = await normalizedSamples(two, { scale: 0.5, mean: [1, 2], std: [4, 8] }, [7]);
    const values = (await normalized.sample(0)).x!.data as Float32Array;
    const bytes = x!.data as Uint8Array;
    for (const [at, mean, std] of [
      [200, 1, 4],
      [391, 1, 4],
      [392, 2, 8],
      [600, 2, 8],
    ] as const) {
      expect(values[at]).toBe((bytes[at]! * 0.5 - mean) / std);
    }
    expect(normalized.labels).toEqual(Int32Array.of(train.labels![7]!));
  });
});
