import { describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { Program } from "../program/index.ts";
import { countCosts } from "./count-costs.ts";

describe("countCosts", () => {
  it("counts two operations per multiply-accumulate, and the bytes of every input and output", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [4, 3]);
    const w = ops.input("w", "float32", [3, 5]);
    const layer = ops.at("head");
    const y = layer.relu(layer.matMul(x, w));
    ops.writer.graph.outputs = [ops.reshape(y, [20])];
    const { total, byLayer } = countCosts(new Program(ops.writer.graph, ops.writer.opsets));
    const product = { flops: 2 * 4 * 3 * 5, bytes: 4 * (12 + 15 + 20) };
    const relu = { flops: 20, bytes: 4 * 40 };
    expect(byLayer.get("head")).toEqual({ flops: product.flops + relu.flops, bytes: product.bytes + relu.bytes });
    expect(byLayer.get("")).toEqual({ flops: 0, bytes: 0 });
    expect(total).toEqual(byLayer.get("head"));
  });

  it("counts a convolution's gradients as much as the convolution", () => {
    const flops = (build: (ops: Ops) => void): number => {
      const ops = new Ops();
      build(ops);
      return countCosts(new Program(ops.writer.graph, ops.writer.opsets)).total.flops;
    };
    const image = (ops: Ops) => ops.input("x", "float32", [2, 3, 8, 8]);
    const kernel = (ops: Ops) => ops.input("w", "float32", [4, 3, 3, 3]);
    const dy = (ops: Ops) => ops.input("dy", "float32", [2, 4, 6, 6]);
    const modicum = { domain: "modicum" };
    const forward = flops((ops) => ops.conv(image(ops), kernel(ops)));
    expect(forward).toBe(2 * 2 * 4 * 36 * 27);
    expect(
      flops((ops) => ops.emit("ConvInputGradient", [dy(ops), kernel(ops)], { input_shape: [2, 3, 8, 8] }, modicum)),
    ).toBe(forward);
    expect(
      flops((ops) => ops.emit("ConvWeightGradient", [image(ops), dy(ops)], { weight_shape: [4, 3, 3, 3] }, modicum)),
    ).toBe(forward);
  });
});
