import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { OptionError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, toNumbers } from "../tensor/index.ts";
import { accuracy, confusionMatrix } from "./metrics.ts";

describe("accuracy", () => {
  it("refuses more places than classes", () => {
    const { ops, scope } = buildScope();
    const act = () => accuracy(ops.input("x", "float32", [4, 3]), ops.input("t", "int64", [4]), scope, { k: 4 });
    expect(act).toThrow(OptionError);
    expect(act).toThrow("accuracy: k must be a whole number from 1 to the number of classes, 3, got 4.");
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "metrics", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });
  const scores = float32([4, 3], [3, 2, 1, 1, 3, 2, 1, 2, 3, 3, 1, 2]);
  const labels = int64([0, 2, 2, 1]);

  it("count labels with the largest score, or one of the k largest", async () => {
    for (const [k, expected] of [
      [1, 0.5],
      [2, 0.75],
      [3, 1],
    ] as const) {
      const { y } = await runLayer(runtime, ({ x, t }, scope) => accuracy(x!, t!, scope, { k }), {
        inputs: { x: scores, t: labels },
      });
      expect(toNumbers(y)).toEqual(Float64Array.of(expected));
    }
  });

  it("count places of pictures", async () => {
    const { y } = await runLayer(runtime, ({ x, t }, scope) => accuracy(x!, t!, scope), {
      inputs: { x: float32([1, 2, 3], [1, 2, 3, 3, 2.5, 1]), t: int64([1, 0, 0], [1, 3]) },
    });
    expect(toNumbers(y)[0]).toBeCloseTo(2 / 3, 6);
  });

  it("count how often each class is taken for each", async () => {
    const { y } = await runLayer(runtime, ({ x, t }, scope) => confusionMatrix(x!, t!, scope), {
      inputs: { x: scores, t: labels },
    });
    expect(y.shape).toEqual([3, 3]);
    expect(Array.from(toNumbers(y))).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 1]);
  });
});
