/** Batch norms of every deviation after training: exported, folded, imported again with another one. */
import { beforeAll, expect, it } from "vitest";
import { nn } from "../../src/index.ts";
import { readModel } from "../../src/onnx/index.ts";
import { prepareProgram } from "../../src/prepare/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../../src/tensor/index.ts";
import { compile, exportOnnx, importOnnx, trainStep } from "../../src/train/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

const SHAPE = [8, 2, 4, 4];
const random = seededRandom(1);
const batch = float32(
  SHAPE,
  Float32Array.from({ length: 256 }, () => 1 + 2 * random.normal()),
);

/** Trains a few steps and returns the variables and y in use. */
async function train(runtime: Runtime, model: ReturnType<typeof nn.sequential>) {
  const step = trainStep({
    inputs: { x: { shape: SHAPE } },
    loss: ({ x }, scope) => scope.ops.reduceMean(scope.ops.square(model(x!, scope)), { keepDims: false }),
    optimizer: {
      learningRate: 0.1,
      apply: ({ ops, gradients, update }) => {
        for (const { parameter, gradient } of gradients())
          update(parameter, ops.sub(parameter.value, ops.mul(gradient, 0.1)));
      },
    },
  });
  const training = await compile(step, { runtime, seed: 1 });
  for (let i = 0; i < 3; i++) await training.run({ x: batch });
  const variables = await training.variables();
  await training.release();
  return variables;
}

function exported(model: ReturnType<typeof nn.sequential>, variables: Readonly<Record<string, Tensor>>) {
  return exportOnnx({
    inputs: { x: { shape: ["batch", ...SHAPE.slice(1)] } },
    outputs: ({ x }, scope) => model(x!, scope),
    variables,
  });
}

async function outputsOf(runtime: Runtime, model: ReturnType<typeof exported>): Promise<number[]> {
  const session = await runtime.createSession(model);
  const results = await session.run({ x: batch });
  await session.release();
  return [...toNumbers(results[session.outputNames[0]!]!)];
}

const network = (options: nn.BatchNormOptions) =>
  nn.sequential({ conv: nn.conv({ channels: 4, kernel: 3, bias: false }), norm: nn.batchNorm(options) });

describeUnless(reasonWithoutOnnxRuntimeNode(), "batch norms in use", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each<nn.BatchNormOptions>([
    {},
    { deviation: "l1" },
    { deviation: "l1", running: "inverse" },
    { deviation: { top: 4 }, ghost: 4 },
    { deviation: "range", running: "deviation" },
    { deviation: "none" },
  ])("fold into the convolution before: %j", async (options) => {
    const model = network(options);
    const file = exported(model, await train(runtime, model));
    const { program } = await prepareProgram(readModel(file.bytes), { runtime });
    expect(program.graph.nodes.map(({ operator }) => operator)).toEqual(["Conv"]);
  });

  it("take the place of an imported model's, starting from its statistics", async () => {
    const model = network({});
    const file = exported(model, await train(runtime, model));
    const before = await outputsOf(runtime, file);
    for (const options of [{}, { deviation: "l1" }, { deviation: "range", running: "inverse" }] as const) {
      const imported = importOnnx(file.bytes);
      const layer = imported.layer({ normalization: options });
      const step = trainStep({
        inputs: { x: { shape: SHAPE } },
        loss: ({ x }, scope) => scope.ops.reduceMean(layer(x!, scope), { keepDims: false }),
        optimizer: { learningRate: 0, apply: () => undefined },
      });
      const training = await compile(step, { runtime });
      const first = await training.variables();
      const names = Object.keys(first).filter((name) => name.includes("running"));
      expect(names.length).toBe(2);
      // As it came.
      const after = await outputsOf(runtime, exported(layer, first));
      after.forEach((value, i) => {
        expect(value).toBeCloseTo(before[i]!, 4);
      });
      await training.run({ x: batch });
      const later = await training.variables();
      await training.release();
      for (const name of names) expect([...toNumbers(later[name]!)]).not.toEqual([...toNumbers(first[name]!)]);
    }
    expect(() => importOnnx(file.bytes).layer({ normalization: { deviation: "none" } })).toThrow(
      'importOnnx: normalization.deviation must be one that divides, got "none"',
    );
  });
});
