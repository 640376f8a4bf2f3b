/** Recurrent layers: RNN, LSTM and GRU. */
import type { Layer, Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { assertCount, assertRank, knownLength, layerLabel } from "./check-input.ts";
import { inverseRootUniform } from "./fan-initializers.ts";

/** How a recurrent layer is made. */
export interface RecurrentOptions {
  /** Features of the state, in each direction. */
  readonly features: number;
  /** Default "forward". "bidirectional" joins the features of both directions. */
  readonly direction?: "forward" | "reverse" | "bidirectional";
  /** What is returned: the states of all times (the default), or the last one of each direction. */
  readonly output?: "sequence" | "last";
}

/** An RNN's options. */
export interface RnnOptions extends RecurrentOptions {
  /** Default "tanh". */
  readonly nonlinearity?: "tanh" | "relu";
}

/**
 * h' = tanh(W_x x + b_x + W_h h + b_h), from h = 0.
 *
 * Shapes and parameters as for `lstm`, with one gate; torch.nn.RNN with batch_first.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has not three axes.
 * @see Elman 1990, "Finding Structure in Time"
 * @example
 * const states = nn.rnn({ features: 64 });
 */
export function rnn({ nonlinearity = "tanh", ...options }: RnnOptions): Layer {
  const activation = nonlinearity === "tanh" ? "Tanh" : "Relu";
  return recurrent("rnn", { operator: "RNN", gates: [0], attributes: { activation } }, options);
}

/**
 * Long short-term memory, from h = c = 0:
 *
 *   i, f, o = sigmoid(W x + b + R h + d), g = tanh(likewise); c' = f c + i g; h' = o tanh(c')
 *
 * Shapes: x [batch, time, inputs] -> y [batch, time, features], or [batch, features] for `output: "last"`; twice the features
 * in both directions. `inputWeight` [4 features, inputs], `hiddenWeight` [4 features, features], `inputBias`, `hiddenBias`
 * [4 features]: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 of torch.nn.LSTM with batch_first, gates in its order i, f,
 * g, o (ONNX's own is i, o, f, g), and their start. Two directions are the children `forward` and `reverse`. Several layers are
 * several of these in `sequential`.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has not three axes.
 * @see Hochreiter, Schmidhuber 1997, "Long Short-Term Memory"
 * @example
 * const classifier = nn.sequential([nn.lstm({ features: 128, output: "last" }), nn.linear(10)]);
 */
export function lstm(options: RecurrentOptions): Layer {
  return recurrent("lstm", { operator: "LSTM", gates: [0, 3, 1, 2] }, options);
}

/**
 * Gated recurrent unit, from h = 0:
 *
 *   r, z = sigmoid(W x + b + R h + d), n = tanh(W x + b + r (R h + d)); h' = (1 - z) n + z h
 *
 * Shapes and parameters as for `lstm`, with three gates in the order r, z, n of torch.nn.GRU with batch_first (ONNX's own is
 * z, r, n).
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has not three axes.
 * @see Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", arXiv:1406.1078
 * @example
 * const states = nn.gru({ features: 64, direction: "bidirectional" });
 */
export function gru(options: RecurrentOptions): Layer {
  // linear_before_reset: the reset gate is applied to R h + d, as in PyTorch, not to h.
  return recurrent("gru", { operator: "GRU", gates: [1, 0, 2], attributes: { linear_before_reset: 1 } }, options);
}

/** One of ONNX's recurrent operators; `gates` says where in PyTorch's order each of ONNX's gates is. */
interface Cell {
  readonly operator: "RNN" | "LSTM" | "GRU";
  readonly gates: readonly number[];
  readonly attributes?: Readonly<{ activation?: string; linear_before_reset?: number }>;
}

function recurrent(layer: string, cell: Cell, options: RecurrentOptions): Layer {
  const { features, direction = "forward", output = "sequence" } = options;
  assertCount(features, "features", layer);
  return (x, scope) => {
    const { ops } = scope;
    const label = layerLabel(layer, scope);
    assertRank(x, ["batch", "time", "inputs"], label);
    const inputs = knownLength(x, -1, "inputs", label);
    const scopes = direction === "bidirectional" ? [scope.child("forward"), scope.child("reverse")] : [scope];
    const parts = scopes.map((one) => directionOf(one, cell, inputs, features));
    const [w, r, b] = (["w", "r", "b"] as const).map((name) => {
      const perDirection = parts.map((part) => ops.unsqueeze(part[name], [0]));
      return perDirection.length === 1 ? perDirection[0]! : ops.concat(perDirection, 0);
    });
    const { activation, ...attributes } = cell.attributes ?? {};
    const activations = activation && scopes.map(() => activation);
    // ONNX has time first: its layout=1 is not supported by ONNX Runtime.
    const operands = [ops.transpose(x, [1, 0, 2]), w, r, b];
    const settings = { hidden_size: features, direction, activations: activations || undefined, ...attributes };
    const [states, last] = ops.emitAll(cell.operator, operands, 2, settings);
    const joined = scopes.length * features;
    return output === "sequence"
      ? ops.reshape(ops.transpose(states!, [2, 0, 1, 3]), [0, 0, joined]) // [time, directions, batch, features]
      : ops.reshape(ops.transpose(last!, [1, 0, 2]), [0, joined]); // [directions, batch, features]
  };
}

/** Declares one direction's parameters, and returns them with ONNX's order of gates. */
function directionOf(scope: Scope, { gates }: Cell, inputs: number, features: number) {
  const { ops } = scope;
  const start = inverseRootUniform(features);
  const rows = gates.length * features;
  const inOrder = (value: Value): Value => {
    if (gates.every((gate, index) => gate === index)) return value;
    const parts = ops.split(value, 0, new Array<number>(gates.length).fill(features));
    return ops.concat(
      gates.map((gate) => parts[gate]!),
      0,
    );
  };
  const w = inOrder(scope.parameter("inputWeight", [rows, inputs], start));
  const r = inOrder(scope.parameter("hiddenWeight", [rows, features], start));
  const inputBias = inOrder(scope.parameter("inputBias", [rows], start));
  const hiddenBias = inOrder(scope.parameter("hiddenBias", [rows], start));
  return { w, r, b: ops.concat([inputBias, hiddenBias], 0) };
}
