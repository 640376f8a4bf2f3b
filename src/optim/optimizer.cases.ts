/** What every optimizer is held to. */
import { beforeAll, expect, it } from "vitest";
import { reference, waveNumbers } from "../../test/nn/reference.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Optimizer } from "../build/index.ts";
import { constant } from "../nn/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { elementCount, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, type TrainStep, trainStep } from "../train/index.ts";

/** One optimizer. */
export interface OptimizerCase {
  /** What pytorch_reference.py calls it. */
  readonly title: string;
  readonly optimizer: Optimizer;
  /** Variables that it keeps for each parameter. */
  readonly slots: readonly string[];
  /** An optimizer of the kind that reaches the minimum of a quadratic within 300 steps. Default: `optimizer`. */
  readonly converging?: Optimizer;
}

/** Six steps of float32, each with errors of some 1e-7; Adam divides by roots of small sums. */
const TOLERANCE = 3e-6;

const SHAPES = { a: [3], b: [2, 2] } as const;

/**
 * The sum of (1 + i) (w_i - minimum_i)^2 / 2 over two parameters, which start from sines.
 *
 * @param dtype Of the parameters; default "float32".
 */
export function quadratic(optimizer: Optimizer, dtype: "float32" | "float64" = "float32"): TrainStep {
  return trainStep({
    inputs: {},
    optimizer,
    dtype,
    loss: (_, scope) => {
      const { ops } = scope;
      const terms = Object.entries(SHAPES).map(([name, shape]) => {
        const count = elementCount(shape);
        const w = scope.child(name).parameter("weight", shape, constant(0));
        const tensor = (numbers: readonly number[]) => ops.constant(tensorOf(dtype, shape, numbers));
        const curvature = tensor(Array.from({ length: count }, (__, i) => (1 + i) / 2));
        const squares = ops.square(ops.sub(w, tensor(waveNumbers(count, 4))));
        return ops.reduceSum(ops.mul(curvature, squares), { keepDims: false });
      });
      return terms.reduce((x, y) => ops.add(x, y));
    },
  });
}

/** Where the parameters start. */
export function startOf(dtype: "float32" | "float64" = "float32"): Record<string, Tensor> {
  return {
    "a.weight": tensorOf(dtype, SHAPES.a, waveNumbers(3, 1)),
    "b.weight": tensorOf(dtype, SHAPES.b, waveNumbers(4, 2)),
  };
}

/** All parameters after each of some steps. */
export async function pathOf(runtime: Runtime, step: TrainStep, steps: number): Promise<number[][]> {
  const training = await compile(step, { runtime, variables: startOf(step.dtype) });
  const path: number[][] = [];
  for (let i = 0; i < steps; i++) {
    await training.run({});
    const variables = await training.variables();
    path.push([...toNumbers(variables["a.weight"]!), ...toNumbers(variables["b.weight"]!)]);
  }
  await training.release();
  return path;
}

/** Checks an optimizer against PyTorch's numbers, on a quadratic, and through a restart. */
export function describeOptimizer({ title, optimizer, slots, converging = optimizer }: OptimizerCase): void {
  describeUnless(reasonWithoutOnnxRuntimeNode(), title, () => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await nodeRuntime({ threads: 1 });
    });

    it("takes PyTorch's steps", async () => {
      const expected = reference.optimizers[title]!;
      const path = await pathOf(runtime, quadratic(optimizer), expected.length);
      expect(largestDifference(path, expected)).toBeLessThan(TOLERANCE);
    });

    it("finds the minimum of a quadratic", async () => {
      const training = await compile(quadratic(converging), { runtime, variables: startOf() });
      const losses: number[] = [];
      for (let i = 0; i < 300; i++) losses.push(toNumbers((await training.run({})).loss!)[0]!);
      await training.release();
      expect(losses.at(-1)).toBeLessThan(1e-3 * losses[0]!);
    });

    it("keeps its slots and nothing else", () => {
      const { variables } = quadratic(optimizer);
      const kept = variables.filter(({ role }) => role === "slot").map(({ path }) => path);
      expect(kept.sort()).toEqual(
        slots.flatMap((slot) => ["a", "b"].map((name) => `optimizer.${slot}.${name}.weight`)).sort(),
      );
    });

    it("goes on after a restart as if there had been none, bit for bit", async () => {
      const scheduled = quadratic({ ...optimizer, learningRate: (step) => 0.01 / (1 + step) });
      const whole = await compile(scheduled, { runtime, variables: startOf() });
      const first = await compile(scheduled, { runtime, variables: startOf() });
      for (let i = 0; i < 3; i++) await first.run({});
      const saved = await first.variables();
      await first.release();
      const second = await compile(scheduled, { runtime, variables: saved });
      for (let i = 0; i < 3; i++) await second.run({});
      for (let i = 0; i < 6; i++) await whole.run({});
      expect(await second.variables()).toEqual(await whole.variables());
      await Promise.all([whole.release(), second.release()]);
    });
  });
}

/** The largest difference between two paths. */
export function largestDifference(path: readonly (readonly number[])[], expected: typeof path): number {
  return Math.max(...path.flatMap((values, step) => values.map((value, i) => Math.abs(value - expected[step]![i]!))));
}
