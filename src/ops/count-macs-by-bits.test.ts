import { describe, expect, it } from "vitest";
import * as nn from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import { type Int8Options, int8 } from "../precision/index.ts";
import { trainStep } from "../train/index.ts";
import { countMacs } from "./count-macs.ts";
import { countMacsByBits } from "./count-macs-by-bits.ts";

function stepOf(network: ReturnType<typeof nn.linear>, shape: readonly number[], options?: Int8Options, chunks = 1) {
  return trainStep({
    inputs: { x: { shape } },
    loss: ({ x }, scope) => scope.ops.reduceMean(scope.ops.square(network(x!, scope)), { keepDims: false }),
    optimizer: sgd({ learningRate: 0.1 }),
    chunks,
    ...(options && { precision: int8(options) }),
  });
}

describe("countMacsByBits", () => {
  const mlp = nn.sequential({ first: nn.linear(128), act: nn.relu(), head: nn.linear(10) });
  // Batch 100 of 784: what the layers' forward products take.
  const [first, head] = [100 * 784 * 128, 100 * 128 * 10];

  it("finds two thirds of a step in 8x8: all but the first layer have three products", () => {
    const published = stepOf(mlp, [100, 784], { weightGradients: 16 }).program;
    expect(countMacsByBits(published)).toEqual({ "8x8": first + 2 * head, "8x16": first + head });
    const deep = nn.sequential(Array.from({ length: 30 }, () => nn.linear(64)));
    const counts = countMacsByBits(stepOf(deep, [50, 64], { weightGradients: 16 }).program);
    expect(counts["8x8"]! / (counts["8x8"]! + counts["8x16"]!)).toBeCloseTo(2 / 3, 2);
  });

  it.each<[Int8Options | undefined, Record<string, number>]>([
    [undefined, { float: 2 * first + 3 * head }],
    [{}, { "8x8": 2 * first + 3 * head }],
    [{ grid: "range" }, { "8x8": 2 * first + 3 * head }],
    [{ weightGradients: "float" }, { "8x8": first + 2 * head, float: first + head }],
    [
      { weights: { bits: 4 }, gradients: { bits: 3 } },
      { "4x8": first + head, "3x4": head, "8x16": first + head },
    ],
    [{ layers: (path) => path !== "first" }, { "8x8": 3 * head, float: 2 * first }],
    [{ gradients: { bits: 4, logarithmic: true } }, { "8x8": first + head, float: head, "8x16": first + head }],
  ])("with %j", (options, expected) => {
    const { program } = stepOf(mlp, [100, 784], options);
    expect(countMacsByBits(program)).toEqual(expected);
    expect(countMacs(program).total).toBe(2 * first + 3 * head);
  });

  it("counts convolutions, their gradients, and products of two activations", () => {
    const convnet = nn.sequential({
      stem: nn.conv({ channels: 4, kernel: 3, padding: 1 }),
      body: nn.conv({ channels: 6, kernel: 3, padding: 1 }),
    });
    const [stem, body] = [2 * 64 * 4 * 27, 2 * 64 * 6 * 36];
    expect(countMacsByBits(stepOf(convnet, [2, 3, 8, 8], { weightGradients: 16 }).program)).toEqual({
      "8x8": stem + 2 * body,
      "8x16": stem + body,
    });
    const attention = nn.multiHeadAttention({ heads: 2 });
    const counts = countMacsByBits(
      stepOf((x, scope) => attention(x, scope), [3, 5, 8], { weightGradients: 16 }).program,
    );
    // Four projections, and two products of activations whose gradients both go to layers below.
    const [projection, scores] = [3 * 5 * 8 * 8, 3 * 5 * 5 * 8];
    expect(counts).toEqual({ "8x8": 4 * projection + projection + 2 * 3 * scores, "8x16": 4 * projection });
  });

  it("counts the parts of a batch", () => {
    const { program } = stepOf(mlp, [100, 784], { weightGradients: 16 }, 4);
    expect(countMacsByBits(program)).toEqual({ "8x8": first + 2 * head, "8x16": first + head });
  });
});
