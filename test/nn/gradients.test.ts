/** Gradients of layers and losses, as wholes, against central differences in float64. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Ops, Scope, type VariableDeclaration } from "../../src/build/index.ts";
import { nn } from "../../src/index.ts";
import type { Value } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { elementCount, isFloat, type Tensor, tensorOf, toNumbers } from "../../src/tensor/index.ts";
import { initialTensor } from "../../src/train/initial-variables.ts";
import { checkGradient } from "../gradients/check-gradient.ts";
import { type GradientCase, normal } from "../gradients/gradient-case.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { inputOf, type LayerCase } from "./layer-case.ts";
import { layerCases } from "./layers.cases.ts";
import { lossCases } from "./losses.cases.ts";
import { waveNumbers } from "./reference.ts";
import { declarationsOf } from "./run-layer.ts";

/** Layers whose gradient's gradient is checked too: those with gradients of their own. */
const TWICE = /^(batchNorm|silu|layerNorm|groupNorm$|multiHeadAttention$|linear$)/;

describeUnless(reasonWithoutOnnxRuntimeNode(), "gradients in float64", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  describe("of layers", () => {
    it.each(layerCases.filter(({ noDifferences }) => !noDifferences))("$title", async (one) => {
      expect(await checkGradient(gradientCase(one), runtime)).toEqual([]);
    });
  });

  describe("of losses", () => {
    it.each(lossCases)("$title", async ({ title, loss, target, shape = [4, 5] }) => {
      const subject: GradientCase = {
        title,
        covers: [],
        inputs: [float64(shape, 0.1, 2), isFloat(target.dtype) ? widened(target) : target],
        build: (ops, x, t) => loss(x, t!, new Scope(ops, { variables: noVariables, training: true, dtype: x.dtype! })),
        second: /^(crossEntropy|huber)/.test(title),
        // p log p bends too much for the differences where p is small.
        ...(title.startsWith("klDivergence") ? { tolerance: 2e-5 } : {}),
      };
      expect(await checkGradient(subject, runtime)).toEqual([]);
    });
  });

  it("fails for a layer whose gradient is wrong", async () => {
    const wrong: LayerCase = {
      title: "square",
      layer: (x, { ops }) => ops.customGradient([x], [ops.square(x)], ({ dy }) => [ops.mul(dy, x)])[0]!,
      shape: [3],
    };
    expect(await checkGradient(gradientCase(wrong), runtime)).not.toEqual([]);
  });

  it("sees gradients with respect to batch statistics", async () => {
    const subject: GradientCase = {
      title: "mean and variance of the batch",
      covers: [],
      inputs: [normal([4, 2, 3])],
      second: true,
      build: (ops, x) => {
        const next = new Map<string, Value>();
        const variables = { ...constants(ops, x), update: (path: string, value: Value) => next.set(path, value) };
        nn.batchNorm()(x, new Scope(ops, { variables, training: true, dtype: x.dtype! }));
        return [...next.values()];
      },
    };
    expect(await checkGradient(subject, runtime)).toEqual([]);
  });
});

const noVariables = {
  declare: (): never => {
    throw new Error("losses have no variables");
  },
  update: () => undefined,
};

function float64(shape: readonly number[], phase: number, scale = 1): Tensor {
  return tensorOf("float64", shape, waveNumbers(elementCount(shape), phase, scale));
}

function widened(tensor: Tensor): Tensor {
  return tensorOf("float64", tensor.shape, toNumbers(tensor));
}

/** The layer as a function of x and its parameters. */
function gradientCase(one: LayerCase): GradientCase {
  const { layer, training = true, title } = one;
  const input = inputOf(one);
  const parameters = declarationsOf(layer, input, training).filter(({ role }) => role === "parameter");
  return {
    title,
    covers: [],
    inputs: [
      isFloat(input.dtype) ? widened(input) : input,
      ...parameters.map(({ shape }, index) => float64(shape, index + 1, 0.5)),
    ],
    second: TWICE.test(title),
    build: (ops, x, ...values) => {
      const dtype = values[0]?.dtype ?? x.dtype!;
      const constant = constants(ops, values[0] ?? x, one.statistics);
      const variables = {
        ...constant,
        declare: (path: string, declaration: VariableDeclaration) => {
          const index = parameters.findIndex((parameter) => parameter.path === path);
          return index < 0 ? constant.declare(path, declaration) : values[index]!;
        },
      };
      return layer(x, new Scope(ops, { variables, training, dtype }));
    },
  };
}

/** Variables as constants of x's element type. */
function constants(ops: Ops, x: Value, given: Readonly<Record<string, Tensor>> = {}) {
  return {
    declare: (path: string, declaration: VariableDeclaration): Value => {
      const start = given[path] ?? initialTensor({ path, ...declaration }, 1);
      return ops.constant(tensorOf(x.dtype!, declaration.shape, toNumbers(start)));
    },
    update: (): unknown => undefined,
  };
}
