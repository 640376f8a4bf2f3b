import { beforeAll, describe, expect, it } from "vitest";
import { Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../../tensor/index.ts";
import { lowerProgram } from "../lower-program.ts";
import { rewriteProgram } from "../rewrite.ts";
import { convInputGradient } from "./conv-input-gradient.ts";
import { convWeightGradient } from "./conv-weight-gradient.ts";
import type { ConvolutionShape } from "./form.ts";
import { rankedForms } from "./lowering-table.ts";
import { offsetsOf } from "./window.ts";

/** A convolution: shapes of input and weight, and its window. */
interface Case {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly group?: number;
}

const cases: Readonly<Record<string, Case>> = {
  "3x3": { x: [2, 3, 5, 6], w: [4, 3, 3, 3], pads: [1, 1, 1, 1] },
  "without padding": { x: [2, 3, 5, 6], w: [4, 3, 2, 3] },
  "uneven padding": { x: [2, 2, 5, 4], w: [3, 2, 3, 3], pads: [2, 0, 1, 2] },
  strides: { x: [2, 3, 8, 8], w: [4, 3, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  "strides of odd lengths": { x: [2, 3, 7, 9], w: [4, 3, 3, 3], pads: [1, 1, 1, 1], strides: [2, 3] },
  "strides that leave a rest": { x: [1, 2, 10, 11], w: [2, 2, 3, 3], strides: [3, 3] },
  "strides longer than the kernel": { x: [1, 2, 7, 8], w: [2, 2, 1, 2], strides: [3, 3] },
  "1x1 with strides": { x: [2, 3, 6, 6], w: [4, 3, 1, 1], strides: [2, 2] },
  dilations: { x: [2, 3, 7, 6], w: [4, 3, 3, 2], dilations: [2, 3], pads: [2, 1, 2, 1] },
  "dilations and strides": { x: [2, 3, 8, 8], w: [2, 3, 3, 3], dilations: [2, 2], strides: [2, 2], pads: [2, 2, 2, 2] },
  depthwise: { x: [2, 4, 5, 5], w: [4, 1, 3, 3], group: 4, pads: [1, 1, 1, 1] },
  "depthwise with strides": { x: [2, 4, 6, 5], w: [4, 1, 3, 3], group: 4, pads: [1, 1, 1, 1], strides: [2, 2] },
  groups: { x: [2, 4, 5, 5], w: [6, 2, 3, 3], group: 2, pads: [1, 1, 1, 1] },
  "one axis": { x: [2, 3, 9], w: [4, 3, 4], pads: [1, 2] },
  "one axis with strides": { x: [2, 3, 9], w: [4, 3, 4], pads: [1, 2], strides: [2] },
  "padding wider than the kernel": { x: [1, 2, 4, 4], w: [2, 2, 1, 1], pads: [1, 1, 1, 1] },
};

/** Lengths of the result along the spatial axes. */
function placesOf({ x, w, strides, dilations, pads }: Case): number[] {
  const rank = x.length - 2;
  return x.slice(2).map((length, axis) => {
    const reach = (w[axis + 2]! - 1) * (dilations?.[axis] ?? 1) + 1;
    return Math.floor((length + (pads?.[axis] ?? 0) + (pads?.[axis + rank] ?? 0) - reach) / (strides?.[axis] ?? 1)) + 1;
  });
}

const indexOf = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((index, position, axis) => index * shape[axis]! + position, 0);

/** Calls `visit` for every product of the convolution, with the indices of its operands and of its result. */
function eachProduct(one: Case, visit: (x: number, w: number, y: number) => void): void {
  const { x, w, strides, dilations, pads, group = 1 } = one;
  const places = placesOf(one);
  const perGroup = w[0]! / group;
  for (const [n, k, c] of offsetsOf([x[0]!, w[0]!, w[1]!]) as [number, number, number][])
    for (const place of offsetsOf(places))
      for (const tap of offsetsOf(w.slice(2))) {
        const at = place.map(
          (position, axis) =>
            position * (strides?.[axis] ?? 1) + tap[axis]! * (dilations?.[axis] ?? 1) - (pads?.[axis] ?? 0),
        );
        if (at.some((position, axis) => position < 0 || position >= x[axis + 2]!)) continue;
        const channel = Math.floor(k / perGroup) * w[1]! + c;
        visit(
          indexOf(x, [n, channel, ...at]),
          indexOf(w, [k, c, ...tap]),
          indexOf([x[0]!, w[0]!, ...places], [n, k, ...place]),
        );
      }
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
});

function randomTensor(shape: readonly number[], seed: number): Tensor {
  const random = seededRandom(seed);
  return float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
}

async function run(ops: Ops, feeds: Record<string, Tensor>): Promise<number[]> {
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await runtime.createSession(writeModel(program));
  try {
    return [...toNumbers((await session.run(feeds))[session.outputNames[0]!]!)];
  } finally {
    await session.release();
  }
}

const gradients = [convInputGradient, convWeightGradient];
const all = gradients.flatMap((one) => Object.keys(one.forms).map((form) => ({ one, form })));

describe.each(all)("$one.operator by $form", ({ one, form }) => {
  it.each(Object.entries(cases))("%s: adds up what the convolution multiplied", async (_title, example) => {
    const { x, w, strides, dilations, pads, group } = example;
    const y = [x[0]!, w[0]!, ...placesOf(example)];
    const isInput = one === convInputGradient;
    const feeds: Record<string, Tensor> = isInput
      ? { dy: randomTensor(y, 1), w: randomTensor(w, 2) }
      : { x: randomTensor(x, 3), dy: randomTensor(y, 1) };
    const ops = new Ops();
    const inputs = Object.entries(feeds).map(([name, { shape }]) => ops.input(name, "float32", shape));
    const attributes = {
      strides,
      dilations,
      pads: pads ?? new Array<number>(2 * (x.length - 2)).fill(0),
      group,
      ...(isInput ? { input_shape: x } : { weight_shape: w }),
    };
    const output = ops.emit(one.operator.slice("modicum:".length), inputs, attributes, { domain: "modicum" });
    ops.writer.graph.outputs = [output];
    const shape = output.shape;
    const program = new Program(ops.writer.graph, ops.writer.opsets);
    const written = rewriteProgram(program, (node, rewriting) =>
      node.domain === "modicum" ? one.forms[form]!(node, rewriting, { device: "cpu" }) : undefined,
    );
    if (written === 0) {
      // Only the last form has to know every convolution.
      expect(form).not.toBe(Object.keys(one.forms).at(-1));
      return;
    }
    expect(ops.writer.graph.outputs[0]!.shape).toEqual(shape);
    const expected = new Float64Array((isInput ? x : w).reduce((a, b) => a * b, 1));
    const [a, dy] = isInput ? [feeds.w!.data, feeds.dy!.data] : [feeds.x!.data, feeds.dy!.data];
    eachProduct(example, (atX, atW, atY) => {
      expected[isInput ? atX : atW]! += (a as Float32Array)[isInput ? atW : atX]! * (dy as Float32Array)[atY]!;
    });
    const got = await run(ops, feeds);
    expect(got.length).toBe(expected.length);
    // Sums of at most a few hundred products of normal numbers.
    expect(Math.max(...got.map((value, index) => Math.abs(value - expected[index]!)))).toBeLessThan(2e-5);
  });
});

describe("rankedForms", () => {
  const shape: ConvolutionShape = {
    examples: 32,
    inputs: 16,
    outputs: 16,
    lengths: [32, 32],
    kernel: [3, 3],
    stride: 1,
    group: 1,
  };
  const table = {
    runtime: "test",
    timings: [
      { operator: "modicum:ConvInputGradient", shape, ms: { convolve: 1, transpose: 2 } },
      { operator: "modicum:ConvInputGradient", shape: { ...shape, inputs: 256 }, ms: { convolve: 2, transpose: 1 } },
      { operator: "modicum:ConvInputGradient", shape: { ...shape, stride: 2 }, ms: { transpose: 1 } },
      { operator: "modicum:ConvWeightGradient", shape, ms: { patches: 3 } },
    ],
  };

  it.each([
    ["the same shape", { ...shape, examples: 128 }, ["convolve", "transpose"]],
    ["more channels", { ...shape, inputs: 128 }, ["transpose", "convolve"]],
    ["strides, however many channels", { ...shape, inputs: 256, stride: 3 }, ["transpose"]],
  ])("follows the nearest measurement: %s", (_title, asked, expected) => {
    expect(rankedForms(table, "modicum:ConvInputGradient", asked)).toEqual(expected);
  });

  it("knows nothing about what was not measured", () => {
    expect(rankedForms(table, "modicum:MaxPoolGradient", shape)).toBeUndefined();
  });
});
