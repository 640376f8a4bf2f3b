/** Cases of recurrent layers. */
import type { Attributes } from "../../src/build/index.ts";
import { Tensor } from "../../src/tensor/index.ts";
import { type Draw, type GradientCase, normal } from "./gradient-case.ts";

interface LayerCase {
  readonly operator: "RNN" | "GRU" | "LSTM";
  readonly attributes?: Attributes;
  readonly directions?: 1 | 2;
  readonly time?: number;
  readonly bias?: boolean;
  readonly initial?: boolean;
  /** How long each of the sequences is. */
  readonly lengths?: readonly number[];
  readonly peepholes?: boolean;
  /** Which outputs are used; default all. */
  readonly outputs?: readonly number[];
  readonly skip?: GradientCase["skip"];
}

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;

function layerCase(title: string, subject: LayerCase): GradientCase {
  const { operator, attributes = {}, directions = 1, time = 3, bias, initial, lengths, peepholes, outputs } = subject;
  const [batch, size, hidden] = [2, 2, 2];
  const width = GATES[operator] * hidden;
  const states = operator === "LSTM" ? 2 : 1;
  const state = normal([directions, batch, hidden]);
  const operands: readonly (Draw | Tensor | undefined)[] = [
    normal([time, batch, size]),
    normal([directions, width, size], 0.7),
    normal([directions, width, hidden], 0.7),
    bias ? normal([directions, 2 * width], 0.5) : undefined,
    lengths && new Tensor("int32", [batch], Int32Array.from(lengths)),
    initial ? state : undefined,
    initial && states === 2 ? state : undefined,
    peepholes ? normal([directions, 3 * hidden], 0.5) : undefined,
  ];
  const last = operands.findLastIndex((operand) => operand !== undefined);
  const used = operands.slice(0, last + 1);
  return {
    title: `${operator} ${title}`,
    covers: [operator],
    inputs: used.filter((operand) => operand !== undefined),
    build: (ops, ...values) => {
      const remaining = [...values];
      const inputs = used.map((operand) => (operand ? remaining.shift() : undefined));
      const made = ops.emitAll(operator, inputs, 1 + states, { hidden_size: hidden, ...attributes });
      return made.filter((_, index) => outputs?.includes(index) ?? true);
    },
  };
}

/** Recurrent layers. */
export const recurrentCases: readonly GradientCase[] = [
  ...(["RNN", "GRU", "LSTM"] as const).flatMap((operator) => [
    layerCase("with weights alone, last state used", { operator, outputs: [1] }),
    layerCase("with biases and initial states", { operator, bias: true, initial: true }),
    layerCase("backwards", { operator, bias: true, attributes: { direction: "reverse" } }),
    layerCase("in both directions", {
      operator,
      directions: 2,
      bias: true,
      initial: true,
      attributes: { direction: "bidirectional" },
    }),
    layerCase("of sequences of different lengths", { operator, bias: true, initial: true, lengths: [3, 1] }),
    layerCase("of sequences of different lengths, in both directions", {
      operator,
      directions: 2,
      lengths: [2, 3],
      attributes: { direction: "bidirectional" },
    }),
    layerCase("of one step", { operator, time: 1, initial: true }),
  ]),
  layerCase("with other activations", {
    operator: "RNN",
    attributes: { activations: ["Softsign"] },
  }),
  layerCase("with an activation per direction", {
    operator: "RNN",
    directions: 2,
    attributes: { direction: "bidirectional", activations: ["Tanh", "Sigmoid"] },
  }),
  layerCase("that resets after the product", {
    operator: "GRU",
    bias: true,
    initial: true,
    attributes: { linear_before_reset: 1 },
  }),
  layerCase("that resets after the product, without biases, in both directions", {
    operator: "GRU",
    directions: 2,
    attributes: { linear_before_reset: 1, direction: "bidirectional" },
  }),
  layerCase("with the cell state alone used", { operator: "LSTM", outputs: [2] }),
  layerCase("with peepholes", { operator: "LSTM", bias: true, initial: true, peepholes: true }),
  layerCase("with input and forget gates coupled", {
    operator: "LSTM",
    attributes: { input_forget: 1 },
    initial: true,
  }),
  layerCase("with clipped gates", { operator: "LSTM", bias: true, attributes: { clip: { float: 0.45 } } }),
  layerCase("with other activations", {
    operator: "LSTM",
    attributes: { activations: ["HardSigmoid", "Softsign", "Tanh"] },
  }),
  {
    ...layerCase("twice differentiated", { operator: "LSTM", time: 2, initial: true, bias: true }),
    second: true,
  },
  { ...layerCase("twice differentiated", { operator: "GRU", time: 2, initial: true }), second: true },
];
