/**
 * What is for large batches, together with what comes before and after a training: an imported ONNX model is trained further with
 * it, exported, and quantized.
 */
import { beforeAll, expect, it } from "vitest";
import {
  fit as carryOut,
  type FitResult,
  parseRecipe,
  planTraining,
  type RecipeInput,
  type RunEvent,
  type TrainingPlan,
} from "../../src/fit/index.ts";
import { madeData } from "../../src/fit/made-data.cases.ts";
import { nn } from "../../src/index.ts";
import { type ModelFile, readModel } from "../../src/onnx/index.ts";
import { quantize } from "../../src/quantize/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../../src/tensor/index.ts";
import { exportOnnx, initialVariables, trainStep } from "../../src/train/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

const CLASSES = 4;
/** Pictures of noise, each of a class: a network learns them by heart. */
const data = madeData({ classes: CLASSES });

/** A convnet with a batch norm as somebody else's file: another number of classes, and the statistics of its start. */
function somebodysModel(): Uint8Array {
  const model = nn.sequential({
    conv: nn.conv({ channels: 8, kernel: 3, stride: 2, padding: 1, bias: false }),
    norm: nn.batchNorm(),
    act: nn.relu(),
    flatten: nn.flatten(),
    head: nn.linear(7),
  });
  const step = trainStep({
    inputs: { x: { shape: [2, 1, 8, 8] } },
    loss: ({ x }, scope) => scope.ops.reduceMean(model(x!, scope), { keepDims: false }),
    optimizer: { learningRate: 0, apply: () => undefined },
  });
  return exportOnnx({
    inputs: { x: { shape: ["batch", 1, 8, 8] } },
    outputs: ({ x }, scope) => ({ logits: model(x!, scope) }),
    variables: initialVariables(step.variables, 1),
  }).bytes;
}

type Keys = Partial<Omit<RecipeInput, "model" | "data">> & { readonly ghost?: number };

interface Trained extends FitResult {
  readonly plan: TrainingPlan;
  readonly events: readonly RunEvent[];
  /** Mean losses of the first and the last epoch. */
  readonly losses: readonly [number, number];
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "an imported model", () => {
  let runtime: Runtime;
  let plain: Trained;
  let chunked: Trained;
  const importedModel = somebodysModel();

  /** Trains the imported model further: twelve epochs of two steps of 20 pictures. */
  async function train({ ghost, ...keys }: Keys): Promise<Trained> {
    const recipe = parseRecipe(
      {
        model: { onnx: "somebodys.onnx", normalization: { kind: "batch", ...(ghost !== undefined && { ghost }) } },
        data: { set: "made" },
        epochs: 12,
        batch: { size: 20 },
        learningRate: 0.02,
        schedule: { kind: "constant" },
        evaluation: { every: 12 },
        ...keys,
      },
      "recipe",
    );
    const plan = planTraining(recipe, data, { importedModel });
    const events: RunEvent[] = [];
    const result = await carryOut(plan, {
      runtime,
      reportEverySteps: 1,
      onEvent: (event) => void events.push(event),
    });
    const losses = events.flatMap((event) => (event.type === "steps" ? [event.metrics.loss!] : []));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    return { ...result, plan, events, losses: [mean(losses.slice(0, 2)), mean(losses.slice(-2))] };
  }

  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
    plain = await train({});
    chunked = await train({ batch: { size: 20, chunks: 4 } });
  });

  /** The test pictures as the exported model takes them, and their classes. */
  async function pictures(): Promise<{ x: Tensor; labels: Int32Array }> {
    const { count, labels } = data.test!;
    const { scale = 1, mean, std } = data.normalization!;
    const numbers: number[] = [];
    for (let i = 0; i < count; i++) {
      const { x } = await data.test!.sample(i);
      for (const value of toNumbers(x!)) numbers.push((value * scale - mean[0]!) / std[0]!);
    }
    return { x: float32([count, 1, 8, 8], numbers), labels: labels! };
  }

  async function logitsOf(model: ModelFile, x: Tensor): Promise<number[]> {
    const session = await runtime.createSession(model);
    const { logits } = await session.run({ x });
    await session.release();
    return [...toNumbers(logits!)];
  }

  function lossOf(logits: readonly number[], labels: Int32Array): number {
    const losses = Array.from(labels, (label, i) => {
      const row = logits.slice(i * CLASSES, (i + 1) * CLASSES);
      return Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label]!;
    });
    return losses.reduce((a, b) => a + b, 0) / losses.length;
  }

  const cases: readonly (readonly [string, Keys])[] = [
    ["ghost batches", { ghost: 5 }],
    ["chunks", { batch: { size: 20, chunks: 4 } }],
    ["noise of the gradient", { gradientNoise: { variance: 1 } }],
    ["rates and lengths of a smaller batch", { epochs: 6, batch: { size: 20, reference: 10, adaptRegime: true } }],
    ["rates that fall by distance", { schedule: { kind: "distance", thresholds: [0.2] } }],
    ["rates that fall on plateaus", { schedule: { kind: "plateau", patience: 4 }, evaluation: { every: 1 } }],
    ["clipping", { clip: { norm: 0.5 } }],
    ["momentum that is forgotten", { optimizer: { kind: "sgd", resetMomentumEachEpoch: true } }],
  ];

  it.each(cases)("learns with %s, is exported and quantized", async (_, keys) => {
    const trained = await train(keys);
    const { plan, variables, final, losses } = trained;
    expect(losses[1]).toBeLessThan(0.8 * losses[0]);
    // It did something.
    expect(variables["head.weight"]).not.toEqual(plain.variables["head.weight"]);

    const file = plan.exportModel(variables);
    const operators = readModel(file.bytes).graph.nodes.map(({ operator }) => operator);
    expect(operators.filter((name) => name === "BatchNormalization")).toHaveLength(1);
    expect(operators.filter((name) => /Loop|Random|ReduceMean/.test(name))).toEqual([]);
    const { x, labels } = await pictures();
    const logits = await logitsOf(file, x);
    expect(lossOf(logits, labels)).toBeCloseTo(final!.loss, 4);

    const calibration = {
      description: "made",
      count: data.test!.count,
      batches: async function* () {
        yield { x };
      },
    };
    const { model } = await quantize(file.bytes, { runtime, calibration, target: "portable" });
    const small = readModel(model.bytes).graph.nodes.map(({ operator }) => operator);
    expect(small).toContain("QuantizeLinear");
    expect(small).not.toContain("BatchNormalization");
    const rounded = await logitsOf(model, x);
    const power = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
    // Eight bits: at least 25 dB.
    expect(power(rounded.map((value, i) => value - logits[i]!)) / power(logits)).toBeLessThan(10 ** -2.5);
  });

  it("is the same in ghost batches as in chunks", async () => {
    const ghosts = await train({ ghost: 5 });
    const difference = (other: Trained) =>
      Math.max(
        ...Object.entries(ghosts.variables).flatMap(([path, tensor]) => {
          const numbers = toNumbers(other.variables[path]!);
          return Array.from(toNumbers(tensor), (value, i) => Math.abs(value - numbers[i]!));
        }),
      );
    // float32 through 24 steps.
    expect(difference(chunked)).toBeLessThan(1e-4);
    expect(difference(plain)).toBeGreaterThan(1e-2);
  });

  it("reports what acted, and takes as many updates as the smaller batch", async () => {
    const steps = ({ events }: Trained) => events.flatMap((event) => (event.type === "steps" ? [event] : []));
    const clipped = steps(await train({ clip: { norm: 0.5 } })).map(({ metrics }) => metrics.clipped!);
    expect(Math.max(...clipped)).toBe(1);
    const adapted = steps(await train({ epochs: 6, batch: { size: 20, reference: 10, adaptRegime: true } }));
    // Six epochs of four batches of ten.
    expect(adapted).toHaveLength(24);
    expect(adapted[0]!.learningRate).toBeCloseTo(0.02 * Math.SQRT2, 12);
    const far = steps(await train({ schedule: { kind: "distance", thresholds: [0.2] } }));
    expect(far.at(-1)!.metrics.learningRateFactor).toBeCloseTo(0.1, 6);
  });

  it.each([
    [{ batch: { size: 20, chunks: 3 } }, "recipe: batch.chunks: must divide batch.size, 20, got 3"],
    [{ batch: { size: 20, chunks: 0 } }, "batch.chunks: must be at least 1, got 0."],
    [{ batch: { size: 0 } }, "recipe: batch.size"],
    [{ batch: { size: 20, reference: -1 } }, "recipe: batch.reference"],
    [{ gradientNoise: { variance: -1 } }, "recipe: gradientNoise.variance"],
    [{ clip: { norm: 0 } }, "recipe: clip.norm"],
    [{ ghost: 0 }, "recipe: model"],
    [{ ghost: 2.5 }, "recipe: model"],
    [{ schedule: { kind: "distance", thresholds: [0] } }, "recipe: schedule.thresholds"],
  ] as readonly (readonly [Keys, string])[])("refuses %j", async (keys, message) => {
    await expect(train(keys)).rejects.toThrow(message);
  });
});
