/** Recurrent layers, unrolled over time. */
import { UnsupportedError } from "../../errors.ts";
import type { Node, Value } from "../../program/index.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";

/** A recurrent layer as the nodes of its time steps. */
export interface UnrolledLayer {
  /** Y, Y_h and Y_c; undefined for those the node does not have. */
  readonly outputs: readonly (Value | undefined)[];
  readonly directions: readonly UnrolledDirection[];
}

/** One direction of a layer. */
export interface UnrolledDirection {
  /** Inputs times W plus biases, from which the steps take theirs. Shape: [time * batch, gates * hidden]. */
  readonly projection: Value;
  /** All products with rows of R, in the order of the rows. */
  readonly products: readonly RecurrentProduct[];
}

/**
 * The products of one step after another with the same rows of R: left R^T, added to the columns of the projection that bear
 * the same numbers. So the projection's gradient tells that of R, in one product over all steps.
 */
export interface RecurrentProduct {
  /** Number of rows of R. */
  readonly rows: number;
  /** Left operands of all steps, in the order of the projection. Shape: [time * batch, hidden]. */
  readonly left: Value;
  /** What products are multiplied with before they are added; nothing if they are added as they are. Shape: [time * batch, rows]. */
  readonly factor?: Value | undefined;
}

/** What a cell has from one direction of the layer. */
interface CellContext {
  readonly node: Node;
  readonly ops: Ops;
  readonly hidden: number;
  /** Rows of R transposed, by gate or group of gates. */
  readonly weights: readonly Value[];
  readonly activations: readonly Activation[];
  /** Bias of R's candidate rows (GRU with linear_before_reset). Shape: [hidden]. */
  readonly candidateBias: Value | undefined;
  /** LSTM's weights from the cell state to the gates i, o and f. Shape: [hidden] each. */
  readonly peepholes: readonly Value[];
}

interface CellState {
  readonly h: Value;
  readonly c?: Value | undefined;
}

interface CellStep {
  readonly state: CellState;
  /** Left operand, and factor, of the product with each of `weights`. */
  readonly products: readonly { readonly left: Value; readonly factor?: Value }[];
}

type Activation = (x: Value) => Value;

/** How a kind of layer computes a step, from its columns of the projection. Shapes: [batch, gates * hidden], [batch, hidden]. */
interface Cell {
  readonly gates: number;
  readonly defaults: readonly string[];
  /** How many gates each product with R makes. */
  products(node: Node): readonly number[];
  step(context: CellContext, projected: Value, state: CellState): CellStep;
}

/** h = f(x W + h R) */
const rnn: Cell = {
  gates: 1,
  defaults: ["Tanh"],
  products: () => [1],
  step: ({ node, ops, weights, activations }, projected, { h }) => {
    const sum = clipped(node, ops, ops.add(projected, ops.matMul(h, weights[0]!)));
    return { state: { h: activations[0]!(sum) }, products: [{ left: h }] };
  },
};

/** Gates z, r, h: h = (1 - z) candidate + z h. */
const gru: Cell = {
  gates: 3,
  defaults: ["Sigmoid", "Tanh"],
  products: () => [2, 1],
  step: ({ node, ops, hidden, weights, activations, candidateBias }, projected, { h }) => {
    const [projectedGates, projectedCandidate] = ops.split(projected, 1, [2 * hidden, hidden]) as [Value, Value];
    const [gate, activate] = activations as [Activation, Activation];
    const gates = gate(clipped(node, ops, ops.add(projectedGates, ops.matMul(h, weights[0]!))));
    const [z, r] = ops.split(gates, 1, [hidden, hidden]) as [Value, Value];
    const resetLast = node.int("linear_before_reset", 0) === 1;
    const left = resetLast ? h : ops.mul(r, h);
    const product = ops.matMul(left, weights[1]!);
    const biased = candidateBias ? ops.add(product, candidateBias) : product;
    const recurrent = resetLast ? ops.mul(r, biased) : biased;
    const candidate = activate(clipped(node, ops, ops.add(projectedCandidate, recurrent)));
    const next = ops.add(ops.mul(ops.sub(1, z), candidate), ops.mul(z, h));
    return { state: { h: next }, products: [{ left: h }, resetLast ? { left, factor: r } : { left }] };
  },
};

/** Gates i, o, f, c: c = f c + i candidate, h = o tanh(c). */
const lstm: Cell = {
  gates: 4,
  defaults: ["Sigmoid", "Tanh", "Tanh"],
  products: () => [4],
  step: (context, projected, { h, c }) => {
    const { node, ops, hidden, weights, activations, peepholes } = context;
    const [gate, activate, activateCell] = activations as [Activation, Activation, Activation];
    const sums = ops.add(projected, ops.matMul(h, weights[0]!));
    const [sumGates, sumCandidate] = ops.split(sums, 1, [3 * hidden, hidden]) as [Value, Value];
    const candidate = activate(clipped(node, ops, sumCandidate));
    const three = (x: Value) => ops.split(x, 1, [hidden, hidden, hidden]) as [Value, Value, Value];
    const isCoupled = node.int("input_forget", 0) === 1;
    if (peepholes.length === 0) {
      const [i, o, f] = three(gate(clipped(node, ops, sumGates)));
      const cell = ops.add(ops.mul(isCoupled ? ops.sub(1, i) : f, c!), ops.mul(i, candidate));
      return { state: { h: ops.mul(o, activateCell(cell)), c: cell }, products: [{ left: h }] };
    }
    // The output gate looks at the new cell state, so the gates cannot be opened all at once.
    const [sumI, sumO, sumF] = three(sumGates);
    const [peepI, peepO, peepF] = peepholes as [Value, Value, Value];
    const open = (x: Value, cell: Value, peep: Value) => gate(clipped(node, ops, ops.add(x, ops.mul(cell, peep))));
    const i = open(sumI, c!, peepI);
    const f = isCoupled ? ops.sub(1, i) : open(sumF, c!, peepF);
    const cell = ops.add(ops.mul(f, c!), ops.mul(i, candidate));
    const o = open(sumO, cell, peepO);
    return { state: { h: ops.mul(o, activateCell(cell)), c: cell }, products: [{ left: h }] };
  },
};

const CELLS: Readonly<Record<string, Cell>> = { RNN: rnn, GRU: gru, LSTM: lstm };

function clipped(node: Node, ops: Ops, x: Value): Value {
  const limit = node.float("clip", 0);
  return limit > 0 ? ops.clip(x, -limit, limit) : x;
}

/**
 * Writes all time steps of an RNN, GRU or LSTM node.
 *
 * Shapes: X [time, batch, in], W [directions, gates * hidden, in], R [directions, gates * hidden, hidden], B [directions, 2 *
 * gates * hidden], initial states [directions, batch, hidden]; with layout 1 the batch comes first in all but W, R and B.
 *
 * @throws UnsupportedError for activations with parameters of their own.
 */
export function unrollRecurrent(node: Node, ops: Ops): UnrolledLayer {
  const batchFirst = node.int("layout", 0) === 1;
  const given = node.input(0);
  const x = batchFirst ? ops.transpose(given, [1, 0, 2]) : given;
  const direction = node.string("direction", "forward");
  const reversed = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
  const runs = reversed.map((backward, index) => unrollDirection(node, ops, x, index, reversed.length, backward));
  const stacked = (values: readonly Value[], axis: number) =>
    values.length === 1 ? values[0]! : ops.concat(values, axis);
  const [y, last, lastCell] = [
    stacked(
      runs.map((run) => run.all),
      1,
    ),
    stacked(
      runs.map((run) => run.last.h),
      0,
    ),
    runs[0]!.last.c &&
      stacked(
        runs.map((run) => run.last.c!),
        0,
      ),
  ];
  const order = (value: Value | undefined, permutation: readonly number[]) =>
    value && batchFirst ? ops.transpose(value, permutation) : value;
  return { outputs: [order(y, [2, 0, 1, 3]), order(last, [1, 0, 2]), order(lastCell, [1, 0, 2])], directions: runs };
}

interface DirectionRun extends UnrolledDirection {
  /** Shape: [time, 1, batch, hidden]. */
  readonly all: Value;
  /** Shapes: [1, batch, hidden]. */
  readonly last: CellState;
}

function unrollDirection(
  node: Node,
  ops: Ops,
  x: Value,
  index: number,
  directions: number,
  backward: boolean,
): DirectionRun {
  const cell = CELLS[node.operator]!;
  const [time, batch, size] = ops.shapeOf(x) as [number, number, number];
  const hidden = ops.shapeOf(node.input(2))[2]!;
  const lengths = node.inputs[4];
  const parts = directionParts(node, ops, cell, index, directions);
  const product = ops.matMul(ops.reshape(x, [time * batch, size]), ops.transposeLast(parts.inputWeights));
  const biased = parts.bias ? ops.add(product, parts.bias) : product;
  const width = cell.gates * hidden;
  // Sequences of different lengths are turned round one by one, others by taking the steps in reverse order.
  const turn = (value: Value, shape: readonly number[]) =>
    ops.reshape(reverseSequences(ops, ops.reshape(value, [time, batch, shape.at(-1)!]), lengths!), shape);
  const projection = backward && lengths ? turn(biased, [time * batch, width]) : biased;
  const steps = ops.split(projection, 0, new Array<number>(time).fill(batch));
  const order = steps.map((_, place) => (backward && !lengths ? time - 1 - place : place));
  const valid = lengths && ops.cast(lengths, x.dtype!);
  const context: CellContext = { node, ops, hidden, ...parts };
  const results = new Array<{ readonly h: Value; readonly products: CellStep["products"] }>(time);
  let state = parts.initial(batch);
  for (const place of order) {
    const { state: next, products } = cell.step(context, steps[place]!, state);
    const mask = valid && ops.unsqueeze(ops.cast(ops.greater(valid, place), x.dtype!), [1]);
    results[place] = { h: mask ? ops.mul(next.h, mask) : next.h, products };
    state = mask ? keepPast(ops, mask, next, state) : next;
  }
  const joined = (values: readonly Value[]) => (values.length === 1 ? values[0]! : ops.concat(values, 0));
  const all = joined(results.map(({ h }) => h));
  const natural = backward && lengths ? turn(all, [time * batch, hidden]) : all;
  const products = cell.products(node).map((gates, which): RecurrentProduct => {
    const of = results.map((result) => result.products[which]!);
    const factor = of[0]!.factor && joined(of.map((one) => one.factor!));
    return { rows: gates * hidden, left: joined(of.map(({ left }) => left)), factor };
  });
  return {
    projection,
    products,
    all: ops.reshape(natural, [time, 1, batch, hidden]),
    last: { h: ops.unsqueeze(state.h, [0]), c: state.c && ops.unsqueeze(state.c, [0]) },
  };
}

/** Where a sequence has ended, the state stays as it was. */
function keepPast(ops: Ops, mask: Value, next: CellState, past: CellState): CellState {
  const choose = (a: Value, b: Value) => ops.add(b, ops.mul(mask, ops.sub(a, b)));
  return { h: choose(next.h, past.h), c: next.c && choose(next.c, past.c!) };
}

function reverseSequences(ops: Ops, x: Value, lengths: Value): Value {
  return ops.emit("ReverseSequence", [x, ops.cast(lengths, "int64")], { time_axis: 0, batch_axis: 1 });
}

/** One direction's share of the operands. */
function directionParts(node: Node, ops: Ops, cell: Cell, index: number, directions: number) {
  const dtype = node.input(0).dtype!;
  const hidden = ops.shapeOf(node.input(2))[2]!;
  const width = cell.gates * hidden;
  const own = (value: Value) => {
    const part = directions === 1 ? value : ops.slice(value, { axes: [0], starts: [index], ends: [index + 1] });
    return ops.squeeze(part, [0]);
  };
  const groups = cell.products(node);
  const rows = ops.split(
    own(node.input(2)),
    0,
    groups.map((gates) => gates * hidden),
  );
  const bothBiases = node.inputs[3] && ops.split(own(node.inputs[3]), 0, [width, width]);
  const resetLast = node.operator === "GRU" && node.int("linear_before_reset", 0) === 1;
  const recurrentBias = bothBiases && ops.split(bothBiases[1]!, 0, [width - hidden, hidden]);
  const bias =
    bothBiases &&
    (resetLast
      ? ops.add(bothBiases[0]!, ops.pad(recurrentBias![0]!, [0, hidden]))
      : ops.add(bothBiases[0]!, bothBiases[1]!));
  const initialState = (input: number, batch: number) => {
    const value = node.inputs[input];
    if (!value) return ops.full([batch, hidden], 0, dtype);
    return own(node.int("layout", 0) === 1 ? ops.transpose(value, [1, 0, 2]) : value);
  };
  return {
    inputWeights: own(node.input(1)),
    bias,
    weights: rows.map((row) => ops.transposeLast(row)),
    candidateBias: resetLast ? recurrentBias?.[1] : undefined,
    peepholes: node.inputs[7] ? ops.split(own(node.inputs[7]), 0, [hidden, hidden, hidden]) : [],
    activations: activationsOf(node, ops, cell, index),
    initial: (batch: number): CellState => ({
      h: initialState(5, batch),
      c: node.operator === "LSTM" ? initialState(6, batch) : undefined,
    }),
  };
}

/** Activations that need no numbers besides their defaults, in ONNX's spelling. */
const ACTIVATIONS = [
  "Sigmoid",
  "Tanh",
  "Relu",
  "Softsign",
  "Softplus",
  "HardSigmoid",
  "LeakyRelu",
  "Elu",
  "ThresholdedRelu",
];

function activationsOf(node: Node, ops: Ops, cell: Cell, index: number): Activation[] {
  const attribute = node.attributes.get("activations");
  const decoder = new TextDecoder();
  const names = attribute?.kind === "strings" ? attribute.value.map((name) => decoder.decode(name)) : undefined;
  const count = cell.defaults.length;
  const own = names?.slice(index * count, (index + 1) * count) ?? cell.defaults;
  const parameters = ["activation_alpha", "activation_beta"].filter((name) => node.attributes.has(name));
  return own.map((name) => {
    const known = ACTIVATIONS.find((other) => other.toLowerCase() === name.toLowerCase());
    if (known && parameters.length === 0) return (x: Value) => ops.emit(known, [x]);
    throw new UnsupportedError(
      `${node.label}: activations must be some of ${ACTIVATIONS.join(", ")} without parameters to have a gradient, ` +
        `got ${name}${parameters.length > 0 ? ` with ${parameters.join(" and ")}` : ""}.`,
    );
  });
}

const unrolled: Decomposition = (node, ops) => unrollRecurrent(node, ops).outputs;

/** Recurrent layers. */
export const recurrents: Readonly<Record<string, Decomposition>> = { RNN: unrolled, GRU: unrolled, LSTM: unrolled };
