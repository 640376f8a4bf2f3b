/** Ghost batches as a layer and as chunks of a step are the same (arXiv:1705.08741, section 4.2). */
import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { batchNorm, crossEntropy, linear, relu, sequential, zeros } from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { int64, seededRandom, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";

const [BATCH, GHOST] = [24, 6];

const float64 = (shape: readonly number[], numbers: readonly number[]): Tensor => tensorOf("float64", shape, numbers);

/** Variables after three steps; with a plain rate they are sums of gradients. */
async function trained(chunks: number, ghost: number | undefined) {
  const norm = () => batchNorm(ghost === undefined ? {} : { ghost });
  const network = sequential({
    stem: linear(7),
    first: norm(),
    act: relu(),
    middle: linear(5),
    second: norm(),
    head: linear(3),
  });
  const step = trainStep({
    inputs: { x: { shape: [BATCH, 4], dtype: "float64" }, label: { shape: [BATCH], dtype: "int64" } },
    chunks,
    dtype: "float64",
    optimizer: sgd({ learningRate: 0.5 }),
    loss: ({ x, label }, scope) => crossEntropy(network(x!, scope), label!, scope),
  });
  const training = await compile(step, { runtime: await nodeRuntime({ threads: 1 }), seed: 2 });
  const random = seededRandom(9);
  for (let i = 0; i < 3; i++) {
    const numbers = Array.from({ length: 4 * BATCH }, () => random.normal());
    await training.run({
      x: tensorOf("float64", [BATCH, 4], numbers),
      label: int64(Array.from({ length: BATCH }, () => random.integer(3))),
    });
  }
  const variables = await training.variables();
  await training.release();
  return variables;
}

type Variables = Readonly<Record<string, Tensor>>;

/** One batch norm: y, gradients of sum(y w) with respect to x, weight and bias, and the running statistics afterwards. */
async function normalized(ghost: number | undefined, x: Tensor, w: Tensor, start: Variables = {}) {
  const { shape } = x;
  const channels = float64([3], [1.5, -0.5, 2]);
  const before: Variables = { x, "norm.weight": channels, "norm.bias": channels, ...start };
  const step = trainStep({
    inputs: { w: { shape, dtype: "float64" } },
    dtype: "float64",
    // With rate 1 a parameter loses its gradient.
    optimizer: sgd({ learningRate: 1 }),
    loss: (inputs, scope) => {
      const { ops } = scope;
      const norm = batchNorm(ghost === undefined ? {} : { ghost });
      const y = norm(scope.parameter("x", shape, zeros()), scope.child("norm"));
      return { loss: ops.reduceSum(ops.mul(y, inputs.w!), { keepDims: false }), y };
    },
  });
  const training = await compile(step, { runtime: await nodeRuntime({ threads: 1 }), variables: before });
  const { y } = await training.run({ w });
  const after = await training.variables();
  await training.release();
  const gradient = (path: string) => toNumbers(before[path]!).map((value, i) => value - toNumbers(after[path]!)[i]!);
  const statistics: Variables = Object.fromEntries(
    ["norm.runningMean", "norm.runningVariance"].map((path) => [path, after[path]!]),
  );
  return {
    y: toNumbers(y!),
    dx: gradient("x"),
    dWeight: gradient("norm.weight"),
    dBias: gradient("norm.bias"),
    statistics,
  };
}

function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  expect(one.length).toBe(other.length);
  return Math.max(...Array.from(one, (value, i) => Math.abs(value - other[i]!)));
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "a ghost batch norm", () => {
  it.each([[[12, 3]], [[12, 3, 2, 2]]])("of K groups is K batch norms, one after the other: %j", async (shape) => {
    const random = seededRandom(4);
    const size = shape.reduce((a, b) => a * b, 1);
    const numbers = (): number[] => Array.from({ length: size }, () => 1 + 2 * random.normal());
    const [x, w] = [numbers(), numbers()];
    const [groups, part] = [3, size / 3];
    const cut = (values: readonly number[], k: number) =>
      float64([4, ...shape.slice(1)], values.slice(k * part, (k + 1) * part));
    const together = await normalized(4, float64(shape, x), float64(shape, w));
    const apart: Awaited<ReturnType<typeof normalized>>[] = [];
    for (let k = 0; k < groups; k++)
      apart.push(await normalized(undefined, cut(x, k), cut(w, k), apart.at(-1)?.statistics));
    const total = (key: "dWeight" | "dBias") =>
      apart.reduce((sum, one) => sum.map((value, i) => value + one[key][i]!), new Float64Array(3));
    // Doubles; the specification asks for 1e-6, and 1e-7 of statistics.
    for (const key of ["y", "dx"] as const) {
      expect(
        largestDifference(
          together[key],
          apart.flatMap((one) => [...one[key]]),
        ),
      ).toBeLessThan(1e-12);
    }
    for (const key of ["dWeight", "dBias"] as const) {
      expect(largestDifference(together[key], total(key))).toBeLessThan(1e-12);
    }
    for (const [path, tensor] of Object.entries(apart.at(-1)!.statistics)) {
      expect(largestDifference(toNumbers(together.statistics[path]!), toNumbers(tensor))).toBeLessThan(1e-12);
    }
    // One group is a plain norm, and something else than three.
    const plain = await normalized(undefined, float64(shape, x), float64(shape, w));
    expect(await normalized(12, float64(shape, x), float64(shape, w))).toEqual(plain);
    expect(largestDifference(together.y, plain.y)).toBeGreaterThan(0.01);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "ghost batches", () => {
  it("are the same as a layer and as chunks: parameters and running statistics", async () => {
    const [layer, chunks, plain] = [
      await trained(1, GHOST),
      await trained(BATCH / GHOST, undefined),
      await trained(1, undefined),
    ];
    expect(Object.keys(layer).sort()).toEqual(Object.keys(chunks).sort());
    let [largest, control] = [0, 0];
    for (const [path, tensor] of Object.entries(layer)) {
      const [other, whole] = [toNumbers(chunks[path]!), toNumbers(plain[path]!)];
      toNumbers(tensor).forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - other[i]!));
        control = Math.max(control, Math.abs(value - whole[i]!));
      });
    }
    // Doubles through three steps; the specification asks for 1e-5.
    expect(largest).toBeLessThan(1e-10);
    // The whole batch as one group is something else.
    expect(control).toBeGreaterThan(1e-3);
  });
});
