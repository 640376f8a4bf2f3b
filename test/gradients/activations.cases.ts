/** Cases of activations. */
import type { Attributes } from "../../src/build/index.ts";
import { apart, type GradientCase, normal, uniform } from "./gradient-case.ts";

interface Settings extends Pick<GradientCase, "closedForm" | "opset"> {
  readonly attributes?: Attributes;
  readonly kinks?: readonly number[];
  readonly domain?: string;
}

/** A case of one activation, whose gradient is differentiated too. */
function activation(
  operator: string,
  { attributes = {}, kinks = [0], domain = "", ...more }: Settings = {},
): GradientCase {
  const name = domain ? `${domain}:${operator}` : operator;
  const shown = Object.keys(attributes).length > 0 ? `${name} ${JSON.stringify(attributes)}` : name;
  return {
    title: shown,
    covers: [name],
    inputs: [apart([2, 6], kinks)],
    build: (ops, x) => ops.emit(operator, [x], attributes, { domain }),
    second: true,
    ...more,
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const microsoft = "com.microsoft";

/** Activations. */
export const activationCases: readonly GradientCase[] = [
  {
    ...activation("Relu", { closedForm: (x) => [x.map((value) => (value > 0 ? 1 : 0))] }),
    covers: ["Relu", "modicum:ReluGradient"],
  },
  {
    title: "the gradient of ReluGradient flows to its first input, where the second is positive",
    covers: ["modicum:ReluGradient"],
    inputs: [normal([2, 6]), apart([2, 6])],
    build: (ops, dy, y) => ops.emit("ReluGradient", [dy, y], {}, { domain: "modicum" }),
    closedForm: (_dy, y) => [y.map((value) => (value > 0 ? 1 : 0)), y.map(() => 0)],
  },
  activation("LeakyRelu"),
  activation("LeakyRelu", { attributes: { alpha: 0.3 } }),
  activation("ThresholdedRelu", { kinks: [1] }),
  activation("ThresholdedRelu", { attributes: { alpha: -0.5 }, kinks: [-0.5] }),
  activation("Shrink", { attributes: { lambd: 0.7, bias: 0.2 }, kinks: [-0.7, 0.7] }),
  activation("Elu"),
  activation("Elu", { attributes: { alpha: 0.4 } }),
  activation("Elu", { attributes: { alpha: -0.4 } }),
  activation("Selu"),
  activation("Selu", { attributes: { alpha: 0.4, gamma: 1.5 } }),
  activation("Celu"),
  activation("Celu", { attributes: { alpha: 0.4 } }),
  activation("Tanh", { closedForm: (x) => [x.map((value) => 1 / Math.cosh(value) ** 2)] }),
  activation("Sigmoid", { closedForm: (x) => [x.map((value) => sigmoid(value) * (1 - sigmoid(value)))] }),
  activation("Softplus", { closedForm: (x) => [x.map(sigmoid)] }),
  activation("Softsign", { closedForm: (x) => [x.map((value) => 1 / (1 + Math.abs(value)) ** 2)] }),
  activation("HardSigmoid", { attributes: { alpha: 0.5, beta: 0.4 }, kinks: [-0.8, 1.2] }),
  activation("HardSigmoid"),
  { ...activation("HardSwish"), inputs: [uniform([6], -2.8, 2.8)] },
  { ...activation("HardSwish"), title: "HardSwish outside of its curve", inputs: [uniform([4], 3.2, 5)] },
  { ...activation("HardSwish"), title: "HardSwish where it is 0", inputs: [uniform([4], -5, -3.2)] },
  activation("Mish"),
  activation("Gelu"),
  activation("Gelu", { attributes: { approximate: "tanh" } }),
  activation("Swish", { opset: 24 }),
  activation("Swish", { opset: 24, attributes: { alpha: 1.5 } }),
  activation("Gelu", { domain: microsoft }),
  activation("FastGelu", { domain: microsoft }),
  activation("QuickGelu", { domain: microsoft }),
  activation("QuickGelu", { domain: microsoft, attributes: { alpha: { float: 1 } } }),
  {
    title: "FastGelu with a bias",
    covers: ["com.microsoft:FastGelu"],
    inputs: [normal([2, 3]), normal([3])],
    build: (ops, x, bias) => ops.emit("FastGelu", [x, bias], {}, { domain: microsoft }),
    second: true,
  },
  {
    title: "BiasGelu",
    covers: ["com.microsoft:BiasGelu"],
    inputs: [normal([2, 3]), normal([3])],
    build: (ops, x, bias) => ops.emit("BiasGelu", [x, bias], {}, { domain: microsoft }),
    second: true,
  },
  {
    title: "PRelu with a slope per channel",
    covers: ["PRelu"],
    inputs: [apart([2, 3, 4]), normal([3, 1])],
    build: (ops, x, slope) => ops.emit("PRelu", [x, slope]),
    second: true,
  },
  {
    title: "PRelu with one slope",
    covers: ["PRelu"],
    inputs: [apart([2, 5]), normal([1])],
    build: (ops, x, slope) => ops.emit("PRelu", [x, slope]),
  },
];
