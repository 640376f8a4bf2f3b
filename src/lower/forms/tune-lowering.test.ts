import { expect, it } from "vitest";
import { nodeRuntime } from "../../runtime/node.ts";
import type { ConvolutionShape } from "./form.ts";
import { tuneLowering } from "./tune-lowering.ts";

const small: ConvolutionShape = {
  examples: 2,
  inputs: 3,
  outputs: 4,
  lengths: [6, 6],
  kernel: [3, 3],
  stride: 1,
  group: 1,
};

it("times every form that can compute a shape", async () => {
  const runtime = await nodeRuntime({ threads: 1 });
  const seen: number[] = [];
  const shapes = [small, { ...small, stride: 2 }, { ...small, inputs: 4, group: 4 }];
  const table = await tuneLowering(runtime, { shapes, seconds: 0.001, onTiming: (_, done) => seen.push(done) });
  expect(table.runtime).toContain("cpu");
  expect(table.timings.map(({ operator, ms }) => [operator, Object.keys(ms).sort()])).toEqual([
    ["modicum:ConvInputGradient", ["convolve", "transpose"]],
    ["modicum:ConvWeightGradient", ["convolve", "copies", "patches"]],
    ["modicum:ConvInputGradient", ["convolve", "transpose"]],
    ["modicum:ConvWeightGradient", ["convolve", "patches"]],
    ["modicum:ConvInputGradient", ["convolve", "transpose"]],
    ["modicum:ConvWeightGradient", ["convolve", "taps"]],
  ]);
  expect(table.timings.every(({ ms }) => Object.values(ms).every((time) => time > 0))).toBe(true);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
});

it("stops when told to", async () => {
  const runtime = await nodeRuntime({ threads: 1 });
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(tuneLowering(runtime, { shapes: [small], signal: aborted })).rejects.toThrow("enough");
});
