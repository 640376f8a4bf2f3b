import { describe, expect, it } from "vitest";
import type { Optimizer } from "../build/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, halfToNumber, numberToHalf } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { storeFloat16 } from "./store-float16.ts";
import { trainStep } from "./train-step.ts";

/** w' = w - gradient, so that the next value is known. */
const descend: Optimizer = {
  learningRate: 1,
  apply({ ops, gradients, update }) {
    for (const { parameter, gradient } of gradients()) update(parameter, ops.sub(parameter.value, gradient));
  },
};

const step = trainStep({
  inputs: { x: { shape: [2] } },
  loss: ({ x }, scope) =>
    scope.ops.reduceSum(
      scope.ops.mul(
        x!,
        scope.parameter("weight", [2], () => [1, 1 / 3]),
      ),
      { keepDims: false },
    ),
  optimizer: descend,
});

describe("storeFloat16", () => {
  it("keeps the chosen variables as float16 and computes in float32", async () => {
    const training = await compile(storeFloat16(step), { runtime: await nodeRuntime() });
    expect((await training.variables()).weight!.dtype).toBe("float16");
    const { loss } = await training.run({ x: float32([2], [0.1, 0.7]) });
    const stored = halfToNumber(numberToHalf(1 / 3));
    expect(loss!.data[0]).toBeCloseTo(0.1 + 0.7 * stored, 6);
    const next = Array.from((await training.variables()).weight!.data as Uint16Array, halfToNumber);
    expect(next).toEqual([1 - 0.1, stored - 0.7].map((x) => halfToNumber(numberToHalf(x))));
    await training.release();
  });

  it("leaves other variables as they are", () => {
    const none = storeFloat16(step, ({ role }) => role === "slot");
    expect(none.variables.map(({ path, dtype }) => [path, dtype])).toEqual(
      step.variables.map(({ path, dtype }) => [path, dtype]),
    );
  });
});
