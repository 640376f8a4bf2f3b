import * as ortNode from "onnxruntime-node";
import * as ortWeb from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import type { Optimizer } from "../build/index.ts";
import { readModel } from "../onnx/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { exportStep } from "./export-step.ts";
import { trainStep } from "./train-step.ts";

const descend: Optimizer = {
  learningRate: 0.1,
  apply({ ops, gradients, update, learningRate }) {
    for (const { parameter, gradient } of gradients())
      update(parameter, ops.sub(parameter.value, ops.mul(gradient, learningRate)));
  },
};

const step = trainStep({
  inputs: { x: { shape: [4, 2, 5, 5] }, target: { shape: [4, 27] } },
  loss: ({ x, target }, scope) => {
    const { ops } = scope;
    const weight = scope.parameter("weight", [3, 2, 3, 3], (_, random) =>
      Array.from({ length: 54 }, () => random.normal()),
    );
    const y = ops.reshape(ops.relu(ops.conv(x!, weight)), [4, 27]);
    return ops.reduceMean(ops.square(ops.sub(y, target!)), { keepDims: false });
  },
  optimizer: descend,
});

const random = seededRandom(2);
const normal = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const batch = { x: normal([4, 2, 5, 5]), target: normal([4, 27]) };
const STEPS = 5;

/** What somebody without Modicum would write. */
async function stepPlainly(ort: typeof ortNode | typeof ortWeb, device: "cpu" | "wasm"): Promise<number[]> {
  const { model, variables } = exportStep(step, { device });
  const { "modicum.variables": paths } = Object.fromEntries(readModel(model.bytes).extras!.metadata!);
  const session = await (ort as typeof ortNode).InferenceSession.create(model.bytes as never);
  const toOrt = ({ dtype, data, shape }: Tensor) =>
    new (ort as typeof ortNode).Tensor(dtype as "float32", data as Float32Array, shape);
  let state: Record<string, ortNode.Tensor> = Object.fromEntries(
    Object.entries(variables).map(([path, tensor]) => [path, toOrt(tensor)]),
  );
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const results = await session.run({
      x: toOrt(batch.x),
      target: toOrt(batch.target),
      learningRate: toOrt(float32([], [0.1])),
      ...state,
    });
    losses.push(Number(results.loss!.data[0]));
    state = Object.fromEntries((JSON.parse(paths!) as string[]).map((path) => [path, results[`next.${path}`]!]));
  }
  await session.release();
  return losses;
}

async function stepOurselves(device: "cpu" | "wasm"): Promise<number[]> {
  const training = await compile(step, { runtime: await nodeRuntime({ device }) });
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) losses.push(Number((await training.run(batch)).loss!.data[0]));
  await training.release();
  return losses;
}

describe("exportStep", () => {
  it.each([
    ["onnxruntime-node", ortNode, "cpu"],
    ["onnxruntime-web", ortWeb, "wasm"],
  ] as const)("gives a file that plain %s steps with the same losses, bit for bit", async (_, ort, device) => {
    const plain = await stepPlainly(ort, device);
    expect(plain).toEqual(await stepOurselves(device));
    expect(plain.at(-1)).toBeLessThan(plain[0]!);
  });
});
