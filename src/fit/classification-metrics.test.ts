import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, Tensor, toNumbers } from "../tensor/index.ts";
import { compileEvaluation, evaluation, initialVariables } from "../train/index.ts";
import { classificationMetrics } from "./classification-metrics.ts";
import { smallPlan } from "./fit.cases.ts";
import { measurePart } from "./measure-part.ts";
import type { Batch } from "./training-plan.ts";

/** An evaluation whose logits are fed. */
const fed = (logits: readonly number[], label: readonly number[], weight: readonly number[]) =>
  evaluation({
    inputs: { logits: { shape: logits }, label: { shape: label, dtype: "int64" }, weight: { shape: weight } },
    outputs: (inputs, scope) => classificationMetrics(inputs.logits!, inputs.label!, inputs.weight!, scope),
  });

describeUnless(reasonWithoutOnnxRuntimeNode(), "classificationMetrics", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function measure(logits: Tensor, label: Tensor, weight: Tensor): Promise<Record<string, number[]>> {
    const compiled = await compileEvaluation(fed(logits.shape, label.shape, weight.shape), { runtime });
    const results = await compiled.run({ logits, label, weight }, {});
    await compiled.release();
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, [...toNumbers(tensor)]]));
  }

  it("sums loss, hits and confusions over the samples that count", async () => {
    const random = seededRandom(5);
    const [samples, classes] = [9, 7];
    const rows = Array.from({ length: samples }, () =>
      Array.from({ length: classes }, () => Math.fround(4 * random.uniform())),
    );
    const labels = rows.map((_, i) => (3 * i) % classes);
    const weights = [1, 1, 0, 1, 1, 1, 0, 1, 1];
    const expected = { loss: 0, right: 0, right5: 0, confusion: new Array<number>(classes ** 2).fill(0) };
    rows.forEach((row, i) => {
      const [label, weight] = [labels[i]!, weights[i]!];
      const order = row.map((_, c) => c).sort((a, b) => row[b]! - row[a]!);
      expected.loss += weight * (Math.log(row.reduce((s, z) => s + Math.exp(z), 0)) - row[label]!);
      expected.right += order[0] === label ? weight : 0;
      expected.right5 += order.slice(0, 5).includes(label) ? weight : 0;
      expected.confusion[label * classes + order[0]!]! += weight;
    });
    const found = await measure(float32([9, 7], rows.flat()), int64(labels, [9]), float32([9], weights));
    expect(found.loss![0]).toBeCloseTo(expected.loss, 5);
    expect(found).toMatchObject({ right: [expected.right], right5: [expected.right5], weight: [7] });
    expect(found.confusion).toEqual(expected.confusion);
    // The control: a weight of one more sample is seen.
    const more = await measure(
      float32([9, 7], rows.flat()),
      int64(labels, [9]),
      float32(
        [9],
        weights.map(() => 1),
      ),
    );
    expect(more.weight).toEqual([9]);
    expect(more.loss![0]).toBeGreaterThan(found.loss![0]!);
  });

  it("counts every token of a text as a decision, and tells few classes from many", async () => {
    const logits = float32(
      [2, 3, 4],
      Float32Array.from({ length: 24 }, (_, i) => (i % 4 === (i >> 2) % 4 ? 5 : 0)),
    );
    const label = int64([0, 1, 2, 3, 0, 0], [2, 3]);
    const all = await measure(logits, label, float32([2], [1, 1]));
    expect(all).toMatchObject({ right: [5], weight: [6] });
    expect(Object.keys(all)).toEqual(["loss", "right", "confusion", "weight"]);
    expect(await measure(logits, label, float32([2], [1, 0]))).toMatchObject({ right: [3], weight: [3] });
    expect(await measure(logits, label, float32([2, 3], [1, 1, 0, 0, 0, 1]))).toMatchObject({
      right: [2],
      weight: [3],
    });
    expect(fed([2, 101], [2], [2]).outputs).toEqual(["loss", "right", "right5", "weight"]);
    expect(() => fed([2, 4], [2], [3])).toThrow(
      "classificationMetrics: weight must be shaped as the logits without their last axis, [2], got [3].",
    );
  });

  it("measures each sample of a part exactly once, whatever fills the last batch", async () => {
    const plan = smallPlan();
    const compiled = await compileEvaluation(plan.evaluation, { runtime });
    const variables = initialVariables(plan.step.variables, 1);
    const [part] = plan.parts;
    const padded = await measurePart(part!, compiled, variables);
    // One sample at a time, without any padding.
    const single = async function* (): AsyncGenerator<Batch> {
      for await (const { x, label, weight } of part!.batches()) {
        for (let i = 0; i < 5; i++) {
          if (toNumbers(weight!)[i] === 0) continue;
          const row = (tensor: Tensor, width: number): Tensor =>
            new Tensor(tensor.dtype, [1, ...tensor.shape.slice(1)], tensor.data.slice(i * width, (i + 1) * width));
          yield { x: row(x!, 2), label: row(label!, 1), weight: row(weight!, 1) };
        }
      }
    };
    const alone = await measurePart({ split: "test", batches: single }, compiled, variables);
    expect(padded).toMatchObject({ count: 7, top1: alone.top1, confusion: alone.confusion });
    // Sums of seven float32 losses, in another order.
    expect(padded.loss).toBeCloseTo(alone.loss, 6);
    // The control: with weights of 1 the padding counts.
    const careless = async function* (): AsyncGenerator<Batch> {
      for await (const batch of part!.batches()) yield { ...batch, weight: float32([5], [1, 1, 1, 1, 1]) };
    };
    expect((await measurePart({ split: "test", batches: careless }, compiled, variables)).count).toBe(10);
    const none = { split: "test", batches: async function* () {} } as const;
    await expect(measurePart(none, compiled, variables)).rejects.toThrow(
      "fit: the test samples must be at least one, got weights that sum to 0.",
    );
    await compiled.release();
  });
});
