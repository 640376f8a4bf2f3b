import { describe, expect, it } from "vitest";
import { ShapeError } from "../errors.ts";
import { Graph, Node, Program, Value } from "../program/index.ts";
import { countMacs } from "./count-macs.ts";
import { inferShapes } from "./infer-shapes.ts";

const window = { strides: [2, 1], pads: [1, 0, 1, 0], group: 2 };
const shapes = { x: [3, 4, 7, 5], w: [6, 2, 3, 2], dy: [3, 6, 4, 4] };

/** A program of one node of our own domain (or Conv) over float32 inputs. */
function single(
  operator: string,
  inputs: readonly (readonly number[])[],
  attributes: Record<string, number | number[]>,
) {
  const values = inputs.map((shape, index) => new Value(`x${index}`, "float32", shape));
  const y = new Value("y");
  const domain = operator === "Conv" ? "" : "modicum";
  const node = new Node(operator, values, [y], { domain, name: "block/node", attributes });
  const program = new Program(new Graph("case", { inputs: values, outputs: [y], nodes: [node] }), [
    ["", 21],
    ["modicum", 1],
  ]);
  inferShapes(program);
  return { y, macs: countMacs(program).total };
}

describe("the gradients of a convolution", () => {
  const conv = single("Conv", [shapes.x, shapes.w], window);
  const input = single("ConvInputGradient", [shapes.dy, shapes.w], { ...window, input_shape: shapes.x });
  const weights = single("ConvWeightGradient", [shapes.x, shapes.dy], { ...window, weight_shape: shapes.w });

  it("are shaped as what they are gradients of", () => {
    expect([conv.y.shape, input.y.shape, weights.y.shape]).toEqual([shapes.dy, shapes.x, shapes.w]);
    expect(input.y.dtype).toBe("float32");
  });

  it("take as many multiply-accumulates as the convolution", () => {
    expect([input.macs, weights.macs]).toEqual([conv.macs, conv.macs]);
    expect(conv.macs).toBe(3 * 6 * 16 * 12);
  });

  it("refuse a dy of another shape than the convolution's", () => {
    const wrong = [3, 6, 4, 5];
    const message = /\(block\/node\): dy must be shaped as the convolution, \[3, 6, 4, 4\], got \[3, 6, 4, 5\]/;
    const make = (): unknown => single("ConvInputGradient", [wrong, shapes.w], { ...window, input_shape: shapes.x });
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(message);
    expect(() => single("ConvWeightGradient", [shapes.x, wrong], { ...window, weight_shape: shapes.w })).toThrow(
      message,
    );
  });
});

it("the gradient of MaxPool is shaped as its input", () => {
  const shape = [1, 2, 4, 4];
  const places = [1, 2, 2, 2];
  expect(single("MaxPoolGradient", [places, shape, places], { kernel_shape: [2, 2], strides: [2, 2] }).y.shape).toEqual(
    shape,
  );
});
