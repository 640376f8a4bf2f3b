import { beforeAll, describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Node, Program, Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { gradients } from "./gradients.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
});

/** Lowers and runs a graph, and returns the numbers of the given values. */
async function run(ops: Ops, values: readonly Value[], feeds: Record<string, Tensor>): Promise<number[][]> {
  const outputs = values.map((value, index) => {
    const output = ops.identity(value);
    output.name = `output_${index}`;
    return output;
  });
  ops.writer.graph.outputs.push(...outputs);
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await runtime.createSession(writeModel(program));
  try {
    const results = await session.run(feeds);
    return outputs.map(({ name }) => [...toNumbers(results[name]!)]);
  } finally {
    await session.release();
  }
}

describe("gradients", () => {
  it("of a value that is used several times are added up", async () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const [dx] = gradients(ops, ops.reduceSum(ops.add(ops.mul(x, x), ops.mul(x, 3))), [x]);
    expect(await run(ops, [dx!], { x: float32([2], [1, -2]) })).toEqual([[5, -1]]);
  });

  it("are with respect to inputs, constants and values in between at once, and total", async () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [1]);
    const w = ops.constant(float32([1], [4]));
    const h = ops.mul(x, w);
    const found = gradients(ops, ops.reduceSum(ops.mul(h, x)), [x, w, h]);
    // y = w x^2: dy/dx = 2 w x, dy/dw = x^2, dy/dh = x
    expect(await run(ops, found as Value[], { x: float32([1], [3]) })).toEqual([[24], [9], [3]]);
  });

  it("are undefined where nothing depends on the input", () => {
    const ops = new Ops();
    const [x, unused] = [ops.input("x", "float32", [2]), ops.input("unused", "float32", [2])];
    const y = ops.reduceSum(ops.add(x, ops.cast(ops.greater(unused, 0), "float32")));
    const [dx, dUnused] = gradients(ops, y, [x, unused]);
    expect(dx).toBeDefined();
    expect(dUnused).toBeUndefined();
  });

  it("of a value with respect to itself are ones", async () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [1]);
    const [dx] = gradients(ops, x, [x]);
    expect(await run(ops, [dx!], { x: float32([1], [7]) })).toEqual([[1]]);
  });

  it("stop at integers", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const y = ops.reduceSum(ops.cast(ops.cast(x, "int64"), "float32"));
    expect(gradients(ops, y, [x])).toEqual([undefined]);
  });

  it("need no rule behind stopGradient, nor for what a custom gradient replaces", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const stopped = ops.stopGradient(unknown(ops, x));
    const [custom] = ops.customGradient([x], [unknown(ops, x)], ({ dy }) => [dy]);
    const [dx] = gradients(ops, ops.reduceSum(ops.add(ops.mul(x, stopped), custom!)), [x]);
    expect(dx?.shape).toEqual([2]);
  });

  it("of straightThrough are those of what it stands for", async () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const rounded = ops.straightThrough(x, ops.floor(x));
    const [dx] = gradients(ops, ops.reduceSum(ops.square(rounded)), [x]);
    const feeds = { x: float32([2], [1.7, -0.5]) };
    expect(await run(ops, [rounded, dx!], feeds)).toEqual([
      [1, -1],
      [2, -2],
    ]);
  });

  it("are named after the layer they belong to", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const y = ops.at("encoder.layers.3").sin(x);
    const [dx] = gradients(ops, ops.reduceSum(y), [x]);
    expect(dx?.name).toMatch(/^encoder\.layers\.3\//);
  });

  it("refuse what is no scalar", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2, 3]);
    expect(() => gradients(ops, x, [x])).toThrow(
      'gradients: what is differentiated must be a scalar, got "x" of shape [2, 3]. Reduce it with reduceMean or reduceSum.',
    );
  });

  it("list every operator on the way that has no rule, by name", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const y = ops.reduceSum(unknown(ops.at("head"), ops.sin(unknown(ops.at("stem"), x))));
    const aside = unknown(ops.at("aside"), x);
    expect(() => gradients(ops, y, [x])).toThrow(/got none for Mystery \(stem\/1\), Mystery \(head\/1\)\. /);
    expect(aside.producer?.operator).toBe("Mystery");
  });

  it("refuse shapes that are not known", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", ["batch", 2]);
    const y = ops.reduceSum(x, { keepDims: false });
    expect(() => gradients(ops, y, [x])).toThrow(/must be known when the program is built, got \[batch, 2\]/);
  });
});

describe("the gradient of dropout", () => {
  it.each([
    ["known when the program is built", true],
    ["told at run time", false],
  ])("in training, %s, is that of the elements that were kept", async (_, isKnown) => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [64]);
    const training = isKnown ? ops.constant(tensorOf("bool", [], [1])) : ops.input("training", "bool", []);
    const y = ops.emit("Dropout", [x, ops.scalar(0.25), training], { seed: 3 });
    const [dx] = gradients(ops, ops.reduceSum(ops.mul(y, 3), { keepDims: false }), [x]);
    const feeds = {
      x: float32([64], new Float32Array(64).fill(2)),
      ...(!isKnown && { training: tensorOf("bool", [], [1]) }),
    };
    const [dropped, gradient] = (await run(ops, [y, dx!], feeds)) as [number[], number[]];
    expect(new Set(dropped).size).toBe(2);
    // y = 2 / 0.75 or 0, so that dx = 3 / 0.75 = 1.5 y
    gradient.forEach((value, index) => {
      expect(value).toBeCloseTo(1.5 * dropped[index]!, 5);
    });
  });
});

/** An operator that nothing is known about. */
function unknown(ops: Ops, x: Value): Value {
  const y = new Value("mystery", x.dtype, x.shape);
  ops.writer.append(new Node("Mystery", [x], [y], { name: `${ops.path}/1`, domain: "nowhere" }));
  return y;
}
