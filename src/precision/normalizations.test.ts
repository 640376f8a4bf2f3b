import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import * as nn from "../nn/index.ts";
import * as optim from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, compileEvaluation, evaluation, type TrainStep, trainStep } from "../train/index.ts";
import { type Int8Options, int8 } from "./int8.ts";

const SHAPE = [16, 4, 3, 3];
const random = seededRandom(11);
const numbers = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const batch = { x: numbers(SHAPE), target: numbers(SHAPE) };
const deviations = ["l2", "l1", { range: 4 }] as const;

/** A batch norm alone: no product, so that all rounding is its own. */
function stepOf(
  deviation: nn.BatchNormOptions["deviation"],
  precision: Int8Options | undefined,
  ghost?: number,
): TrainStep {
  const model = nn.sequential({ norm: nn.batchNorm({ ...(deviation && { deviation }), ...(ghost && { ghost }) }) });
  return trainStep({
    inputs: { x: { shape: SHAPE }, target: { shape: SHAPE } },
    loss: ({ x, target }, scope) => {
      const y = model(x!, scope);
      return { loss: scope.ops.reduceMean(scope.ops.mul(y, target!), { keepDims: false }), y: scope.ops.identity(y) };
    },
    optimizer: optim.sgd({ learningRate: 1 }),
    precision: precision && int8(precision),
  });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "batch norms in 8 bits", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function run(step: TrainStep, x = batch.x) {
    const training = await compile(step, { runtime });
    const { y } = await training.run({ ...batch, x });
    const variables = await training.variables();
    await training.release();
    return { y: Array.from(toNumbers(y!)), variables };
  }
  const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const far = (a: readonly number[], b: readonly number[]) => largest(a.map((value, i) => value - b[i]!)) / largest(b);
  /** x as the norm sees it, by arithmetic of its own. */
  const rounded = (x: Tensor): Tensor => {
    const all = Array.from(toNumbers(x));
    const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
    const scale = Math.fround((high - low) / 255);
    return float32(
      x.shape,
      Float32Array.from(all, (value) => Math.round(value / scale) * scale),
    );
  };

  it.each(deviations.map((one) => [JSON.stringify(one), one] as const))(
    "%s: normalizes rounded inputs",
    async (_, deviation) => {
      const exact = await run(stepOf(deviation, undefined));
      const int = await run(stepOf(deviation, { normalizations: "inputs" }));
      const seen = await run(stepOf(deviation, undefined), rounded(batch.x));
      expect(far(int.y, exact.y)).toBeLessThan(0.02);
      expect(far(int.y, exact.y)).toBeGreaterThan(1e-4);
      expect(far(int.y, seen.y)).toBeLessThan(1e-4);
    },
  );

  it("gives parameters gradients of 8 bits, and lets them be", async () => {
    const exact = await run(stepOf("l2", undefined));
    const int = await run(stepOf("l2", { normalizations: "inputs", gradients: { rounding: "nearest" } }));
    const [a, b] = [exact, int].map(({ variables }) =>
      Array.from(toNumbers(variables["norm.weight"]!)).map((w) => w - 1),
    );
    expect(far(b!, a!)).toBeLessThan(0.05);
    expect(b).not.toEqual(a);
  });

  it("rounds scales and shifts where that is asked for", async () => {
    const model = (x: Int8Options) => stepOf("l2", x);
    const plain = model({ normalizations: "inputs" });
    const all = model({ normalizations: "all" });
    const quantizers = ({ program }: TrainStep) =>
      program.graph.nodes.filter(({ operator }) => operator === "Quantized").length;
    expect(quantizers(all)).toBe(quantizers(plain) + 2);
    expect((await run(all)).y.every(Number.isFinite)).toBe(true);
  });

  it("rounds the parts of ghost batches, each on its own grid", async () => {
    const int = stepOf("l2", { normalizations: "inputs" }, 6);
    const ranges = int.variables.filter(({ path }) => path.endsWith("inputRange"));
    // 16 examples in ghost batches of 6: one of 6, and one of 10.
    expect(ranges.map(({ path }) => path)).toEqual(["norm.inputRange", "norm.1.inputRange"]);
    expect(far((await run(int)).y, (await run(stepOf("l2", undefined, 6))).y)).toBeLessThan(0.02);
  });

  it("uses the ranges that training kept", async () => {
    const precision = int8({ normalizations: "inputs" });
    const model = nn.sequential({ norm: nn.batchNorm() });
    const { variables } = await run(stepOf("l2", { normalizations: "inputs" }));
    const measure = async (given?: typeof precision) => {
      const compiled = await compileEvaluation(
        evaluation({
          inputs: { x: { shape: SHAPE } },
          outputs: ({ x }, scope) => ({ y: model(x!, scope) }),
          precision: given,
        }),
        { runtime },
      );
      const { y } = await compiled.run({ x: batch.x }, variables);
      await compiled.release();
      return Array.from(toNumbers(y!));
    };
    const [int, exact] = [await measure(precision), await measure()];
    expect(int).not.toEqual(exact);
    // The kept range is 0.9 of the first step's: what lies beyond is clipped.
    expect(far(int, exact)).toBeLessThan(0.15);
  });

  it("leaves batch norms alone otherwise, and refuses what it does not know", () => {
    expect(stepOf("l2", {}).program.graph.nodes.some(({ operator }) => operator === "Quantized")).toBe(false);
    expect(() => int8({ normalizations: "some" as "all" })).toThrow(
      'int8: normalizations must be one of "float", "inputs", "all", got "some".',
    );
  });
});
