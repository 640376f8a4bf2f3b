import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import type { Attributes, Layer, Ops, Optimizer } from "../../build/index.ts";
import * as nn from "../../nn/index.ts";
import { type Int8Options, int8 } from "../../precision/index.ts";
import { compute, gaussian, relativeDifference } from "../../precision/precision.cases.ts";
import { cloneProgram, type Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, type Tensor, tensorOf, toNumbers } from "../../tensor/index.ts";
import { compile, trainStep } from "../../train/index.ts";
import { lowerProgram } from "../lower-program.ts";
import { loweringTarget } from "../lowering-target.ts";
import { multipliesBytes } from "./multiplies-bytes.ts";

/** Sums of products of codes are exact; those of floats are rounded in each addition. */
const TOLERANCE = 1e-4;

const reason =
  reasonWithoutOnnxRuntimeNode() ?? ((await hasBytes()) ? undefined : "the processor has no dot products of bytes");

async function hasBytes(): Promise<boolean> {
  return multipliesBytes(await nodeRuntime({ threads: 1 }));
}

type Write = (ops: Ops, input: (tensor: Tensor) => Value) => Value;

/** An operand: codes of a tensor, signed or around a zero point. */
function operand(
  ops: Ops,
  input: (tensor: Tensor) => Value,
  shape: readonly number[],
  kind: "signed" | "unsigned",
): Value {
  const x = gaussian(shape, shape.length + shape[0]!);
  const range = kind === "signed" ? { lowest: -128, highest: 127 } : { lowest: 0, highest: 255 };
  const zeroPoint = kind === "signed" ? undefined : input(float32([], [117]));
  return ops.emit("Quantized", [input(x), input(float32([], [0.031])), zeroPoint], range, { domain: "modicum" });
}

function gemm(a: readonly number[], b: readonly number[], attributes: Attributes, bias?: readonly number[]): Write {
  return (ops, input) =>
    ops.emit(
      "Gemm",
      [operand(ops, input, a, "unsigned"), operand(ops, input, b, "signed"), bias && input(gaussian(bias, 5))],
      attributes,
    );
}

function matMul(
  a: readonly number[],
  b: readonly number[],
  kinds: readonly ("signed" | "unsigned")[] = ["unsigned", "signed"],
): Write {
  return (ops, input) => ops.matMul(operand(ops, input, a, kinds[0]!), operand(ops, input, b, kinds[1]!));
}

const products: readonly (readonly [string, Write])[] = [
  ["MatMul", matMul([64, 96], [96, 128])],
  ["MatMul of signed and unsigned", matMul([64, 96], [96, 128], ["signed", "unsigned"])],
  ["MatMul of two signed", matMul([64, 96], [96, 128], ["signed", "signed"])],
  ["MatMul of two unsigned", matMul([64, 96], [96, 128], ["unsigned", "unsigned"])],
  ["MatMul in batches", matMul([4, 3, 32, 64], [4, 3, 64, 40])],
  ["MatMul of batches with one matrix", matMul([8, 64, 48], [48, 64])],
  ["MatMul of one matrix with batches", matMul([64, 48], [8, 48, 64])],
  ["MatMul of batches that broadcast", matMul([6, 1, 32, 64], [2, 64, 48])],
  [
    "MatMul of moved operands",
    (ops, input) =>
      ops.matMul(
        ops.transpose(ops.reshape(operand(ops, input, [128, 8, 10], "unsigned"), [128, 80]), [1, 0]),
        ops.transpose(operand(ops, input, [64, 128], "signed"), [1, 0]),
      ),
  ],
  ["Gemm", gemm([64, 96], [96, 128], {})],
  ["Gemm with a bias", gemm([64, 96], [96, 128], {}, [128])],
  ["Gemm with a bias for rows", gemm([64, 96], [96, 128], {}, [64, 1])],
  ["Gemm with one number as bias", gemm([64, 96], [96, 128], {}, [1])],
  ["Gemm with transA", gemm([96, 64], [96, 128], { transA: 1 })],
  ["Gemm with transB", gemm([64, 96], [128, 96], { transB: 1 }, [128])],
  ["Gemm with transA and transB", gemm([96, 64], [128, 96], { transA: 1, transB: 1 })],
  ["Gemm with alpha", gemm([64, 96], [96, 128], { alpha: 0.3 }, [128])],
  ["Gemm with alpha and beta", gemm([64, 96], [96, 128], { alpha: -2.5, beta: 0.7 }, [128])],
];

describeUnless(reason, "products of bytes", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each(products)("%s is that of floats", async (_, write) => {
    const build = (ops: Ops, input: (tensor: Tensor) => Value) => [write(ops, input)];
    const integer = await compute(runtime, build, { device: "cpu", hasIntegerProducts: true });
    const simulated = await compute(runtime, build, { device: "cpu" });
    expect(integer.operators).toContain("MatMulIntegerToFloat");
    expect(simulated.operators).not.toContain("MatMulIntegerToFloat");
    expect(integer.outputs[0]!.shape).toEqual(simulated.outputs[0]!.shape);
    expect(relativeDifference(toNumbers(integer.outputs[0]!), toNumbers(simulated.outputs[0]!))).toBeLessThan(
      TOLERANCE,
    );
  });

  it("takes floats where an operand has no bytes, or the product is small", async () => {
    const stays = async (write: Write) => {
      const { operators } = await compute(runtime, (ops, input) => [write(ops, input)], {
        device: "cpu",
        hasIntegerProducts: true,
      });
      expect(operators).not.toContain("MatMulIntegerToFloat");
    };
    await stays((ops, input) => ops.matMul(operand(ops, input, [64, 96], "signed"), input(gaussian([96, 128], 1))));
    await stays((ops, input) => {
      const wide = ops.emit(
        "Quantized",
        [input(gaussian([96, 128], 1)), ops.scalar(0.01)],
        { lowest: -32768, highest: 32767 },
        { domain: "modicum" },
      );
      return ops.matMul(operand(ops, input, [64, 96], "signed"), wide);
    });
    await stays(matMul([8, 8], [8, 8]));
    await stays(matMul([2 ** 20], [2 ** 20]));
  });

  /** Gradients as metrics; nothing is learned. */
  const keeping: Optimizer = {
    learningRate: 0,
    apply: ({ gradients, metric }) => {
      for (const { parameter, gradient } of gradients()) metric(`gradient.${parameter.path}`, gradient);
    },
  };

  const mlp = nn.sequential({
    first: nn.linear(128),
    act: nn.relu(),
    second: nn.linear(128),
    tanh: nn.tanh(),
    head: nn.linear(96),
  });
  const attention = nn.multiHeadAttention({ heads: 2 });
  const block: Layer = (x, scope) => {
    const { ops } = scope;
    return ops.add(x, attention(nn.layerNorm()(x, scope.child("norm")), scope.child("attention")));
  };
  const steps: readonly (readonly [string, Layer, readonly number[], number, Int8Options])[] = [
    ["an MLP", mlp, [64, 100], 8, {}],
    [
      "an MLP with noise everywhere",
      mlp,
      [64, 100],
      8,
      { activations: { rounding: "stochastic" }, weights: { rounding: "stochastic" } },
    ],
    ["an MLP with gradients of 4 bits", mlp, [64, 100], 7, { gradients: { bits: 4 }, weightGradients: "same" }],
    [
      "an MLP with delayed ranges",
      mlp,
      [64, 100],
      8,
      { activations: { range: "delayed" }, gradients: { range: "delayed" } },
    ],
    // Four projections, two products of activations, and the gradients of all of them.
    ["an attention block", block, [16, 32, 64], 17, {}],
  ];

  it.each(steps)("a step of %s is the simulated one: loss and gradients", async (_, network, shape, least, options) => {
    const step = trainStep({
      inputs: { x: { shape }, target: { shape: [shape[0]!], dtype: "int64" } },
      loss: ({ x, target }, scope) => {
        const y = network(x!, scope);
        return nn.crossEntropy(scope.ops.reshape(y, [shape[0]!, -1]), target!, scope);
      },
      optimizer: keeping,
      precision: int8(options),
    });
    const { program } = cloneProgram(step.program);
    lowerProgram(program, await loweringTarget(runtime));
    const integers = program.graph.nodes.filter(({ operator }) => operator === "MatMulIntegerToFloat");
    expect(integers.length).toBeGreaterThanOrEqual(least);
    const batch = {
      x: gaussian(shape, 6),
      target: tensorOf(
        "int64",
        [shape[0]!],
        Array.from({ length: shape[0]! }, (__, i) => i % 90),
      ),
    };
    const run = async (quantized: "integer" | "simulated") => {
      const training = await compile(step, { runtime, quantized, seed: 1 });
      await training.run(batch);
      const results = await training.run(batch);
      await training.release();
      return results;
    };
    const [integer, simulated] = [await run("integer"), await run("simulated")];
    for (const [name, tensor] of Object.entries(simulated)) {
      const [found, right] = [toNumbers(integer[name]!), toNumbers(tensor)];
      // The gradient of keys' biases is 0 but for rounding: softmax does not see them.
      if (Math.hypot(...right) < 1e-7) continue;
      expect(relativeDifference(found, right), name).toBeLessThan(name === "loss" ? 1e-5 : 5 * TOLERANCE);
    }
  });
});
