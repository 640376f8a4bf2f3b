import { describe, expect, it } from "vitest";
import { gradients } from "../gradients/index.ts";
import type { Layer } from "../prepare/index.ts";
import type { ChannelWeights } from "../quantize/index.ts";
import { numbers } from "../quantize/small-models.cases.ts";
import { tensorOf, toNumbers } from "../tensor/index.ts";
import { runOps } from "./refine.cases.ts";
import { hardRounding, inverseSoftRounding, roundingStart, softRounding, undecided } from "./soft-rounding.ts";

const variables = [-3, -2, -0.9, -0.2, 0, 0.3, 1.1, 2.1, 3];
const fed = { v: tensorOf("float64", [variables.length], variables) };

describe("softRounding", () => {
  it("is the stretched sigmoid, and reaches 0 and 1", async () => {
    const [share] = await runOps((ops) => [softRounding(ops, ops.input("v", "float64", [variables.length]))], fed);
    const expected = variables.map((v) => Math.min(Math.max(1.2 / (1 + Math.exp(-v)) - 0.1, 0), 1));
    expect(share).toEqual(expected.map((one) => expect.closeTo(one, 12)));
    expect([share![0], share!.at(-1)]).toEqual([0, 1]);
  });

  it("is undone by its inverse", async () => {
    const shares = [0.02, 0.3, 0.5, 0.77, 0.98];
    const starts = tensorOf("float64", [5], shares.map(inverseSoftRounding));
    const [again] = await runOps((ops) => [softRounding(ops, ops.input("v", "float64", [5]))], { v: starts });
    expect(again).toEqual(shares.map((share) => expect.closeTo(share, 12)));
  });

  it("is decided where it is at least one half", async () => {
    const [decided] = await runOps((ops) => [hardRounding(ops, ops.input("v", "float64", [variables.length]))], fed);
    expect(decided).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });

  it("has the gradients of finite differences, with the pull towards decided roundings", async () => {
    const inside = variables.slice(1, -1).filter((v) => v !== 0);
    const lossAt = async (at: readonly number[]) =>
      runOps(
        (ops) => {
          const v = ops.input("v", "float64", [at.length]);
          const share = softRounding(ops, v);
          const targets = ops.constant(tensorOf("float64", [at.length], [0.9, 0.1, 0.4, 0.2, 0.7, 0.6]));
          const error = ops.reduceSum(ops.square(ops.sub(share, targets)), { keepDims: false });
          const loss = ops.add(error, undecided(ops, share, ops.scalar(3.5, "float64")));
          return [loss, gradients(ops, loss, [v])[0]!];
        },
        { v: tensorOf("float64", [at.length], at) },
      );
    const [, found] = await lossAt(inside);
    const step = 1e-5;
    for (const [i, v] of inside.entries()) {
      const [above, below] = await Promise.all([v + step, v - step].map((at) => lossAt(inside.with(i, at))));
      expect(found![i]).toBeCloseTo((above![0]![0]! - below![0]![0]!) / (2 * step), 6);
    }
  });

  it("counts what is undecided", async () => {
    const [all] = await runOps((ops) => {
      const share = ops.constant(tensorOf("float64", [4], [0, 1, 0.5, 0.75]));
      return [undecided(ops, share, ops.scalar(2, "float64"))];
    });
    expect(all![0]).toBeCloseTo(1 + (1 - 0.25), 6);
  });
});

describe("roundingStart", () => {
  const exact = [0.2, 0.8, 1.4, -1.7, -9.6, 3.6, -4.2, 9.9];
  const scales = [0.5, 0.25];
  const layer = {
    weight: numbers(
      "w",
      [2, 4],
      exact.map((code, i) => code * scales[Math.floor(i / 4)]!),
    ),
  } as unknown as Layer;
  const startOf = (codes: readonly number[]) => {
    const grids = scales.map((scale) => ({ bits: 4, scale, zeroPoint: 0, lowestCode: -8 }));
    const weights: ChannelWeights = { granularity: "channel", bits: 4, shape: [2, 4], channelAxis: 0, codes: Int8Array.from(codes), grids }; // biome-ignore format: one line
    const { codes: lower, variables: v, scales: shaped } = roundingStart(layer, weights);
    const share = toNumbers(v).map((one) => Math.min(Math.max(1.2 / (1 + Math.exp(-one)) - 0.1, 0), 1));
    return { lower: [...toNumbers(lower)], share: [...share], shape: shaped.shape };
  };

  it("starts at each weight's place between its two codes, and within the codes there are", () => {
    const { lower, share, shape } = startOf([0, 1, 1, -2, -8, 4, -4, 7]);
    expect(shape).toEqual([2, 1]);
    expect(lower).toEqual([0, 0, 1, -2, -8, 3, -5, 6]);
    expect(share).toEqual([0.2, 0.8, 0.4, 0.3, 0.01, 0.6, 0.8, 0.99].map((one) => expect.closeTo(one, 5)));
  });

  it("keeps codes that are not the nearest, and those further away", () => {
    // Rounded the other way; two codes too high; two too low; beyond the lowest and the highest code.
    const codes = [1, 0, 3, -4, -8, 4, -4, 7];
    const { lower, share } = startOf(codes);
    expect(lower.map((code, i) => code + (share[i]! >= 0.5 ? 1 : 0))).toEqual(codes);
    expect(lower.slice(0, 4)).toEqual([0, 0, 2, -4]);
    expect(share.slice(0, 2)).toEqual([expect.closeTo(0.55, 5), expect.closeTo(0.45, 5)]);
  });
});
