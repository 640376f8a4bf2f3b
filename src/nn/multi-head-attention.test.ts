import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { wave } from "../../test/nn/reference.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { Tensor, toNumbers } from "../tensor/index.ts";
import { multiHeadAttention } from "./multi-head-attention.ts";

describe("multiHeadAttention", () => {
  const build = (memory: readonly number[], causal = false) => {
    const { ops, scope } = buildScope("cross");
    const inputs = { memory: ops.input("memory", "float32", memory) };
    return multiHeadAttention({ heads: 2, causal })(ops.input("x", "float32", [2, 3, 4]), scope, inputs);
  };

  it("refuses memory of other features", () => {
    expect(() => build([2, 5, 6])).toThrow(ShapeError);
    expect(() => build([2, 5, 6])).toThrow(
      "multiHeadAttention (cross): memory must be shaped [batch, positions, 4], got [2, 5, 6]. " +
        "Bring it to the features of x with linear.",
    );
  });

  it("refuses causal attention to memory of another length", () => {
    expect(() => build([2, 5, 4], true)).toThrow(OptionError);
    expect(() => build([2, 5, 4], true)).toThrow(
      "multiHeadAttention (cross): causal attention must have as many positions as queries, got 5 and 3.",
    );
  });

  it("refuses masks of integers", () => {
    const act = () => {
      const { ops, scope } = buildScope();
      const mask = ops.input("mask", "int64", [3, 3]);
      return multiHeadAttention({ heads: 2 })(ops.input("x", "float32", [2, 3, 4]), scope, { mask });
    };
    expect(act).toThrow(DTypeError);
    expect(act).toThrow(
      "multiHeadAttention: mask must be bool or float32, as the input, got int64. Convert it with cast.",
    );
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "multiHeadAttention, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });
  const run = async (x: Tensor, { causal = false, seen }: { causal?: boolean; seen?: readonly number[] }) => {
    const attention = multiHeadAttention({ heads: 2, causal });
    const { y } = await runLayer(
      runtime,
      (inputs, scope) => {
        const mask = seen && scope.ops.constant(new Tensor("bool", [3, 3], Uint8Array.from(seen)));
        return attention(inputs.x!, scope, mask ? { mask } : {});
      },
      { inputs: { x } },
    );
    return Array.from({ length: 3 }, (_, position) => Array.from(toNumbers(y).slice(4 * position, 4 * position + 4)));
  };
  const x = wave([1, 3, 4]);
  const changed = new Tensor("float32", [1, 3, 4], Float32Array.from(x.data as Float32Array));
  (changed.data as Float32Array).fill(0.5, 8);

  it("is causal: what comes later changes nothing before", async () => {
    const [before, after] = [await run(x, { causal: true }), await run(changed, { causal: true })];
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toEqual(before[2]);
    expect((await run(changed, {}))[0]).not.toEqual((await run(x, {}))[0]);
  });

  it("takes true for what may be seen", async () => {
    const causal = await run(x, { seen: [1, 0, 0, 1, 1, 0, 1, 1, 1] });
    expect(causal).toEqual(await run(x, { causal: true }));
  });

  it("gives the mean of all values where nothing may be seen, not NaN", async () => {
    const [blind, seeing] = [
      await run(x, { seen: [0, 0, 0, 1, 1, 1, 1, 1, 1] }),
      await run(x, { seen: [1, 1, 1, 1, 1, 1, 1, 1, 1] }),
    ];
    expect(blind.flat().every(Number.isFinite)).toBe(true);
    expect(blind[1]).toEqual(seeing[1]);
    expect(blind[0]).not.toEqual(seeing[0]);
  });
});
