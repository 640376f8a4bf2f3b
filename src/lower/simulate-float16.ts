/** Half precision, simulated: every result is rounded to float16, on any device and with float32 kernels. */
import { decompositions, type Ops } from "../build/index.ts";
import { UnsupportedError } from "../errors.ts";
import { cloneProgram, type Node, type Program, staticShape, type Value } from "../program/index.ts";
import { lowerings } from "./lowerings.ts";
import { type Rewrite, rewriteProgram } from "./rewrite.ts";

/**
 * How sums of many terms are formed. `float32`: exactly enough, rounded once at the end, as tensor cores do. `pairwise`: by
 * halves, each sum rounded to float16, as blocked kernels do. `sequential`: one term after the other, each sum rounded.
 */
export type Accumulator = "float32" | "pairwise" | "sequential";

/** What is simulated. */
export interface SimulateFloat16Options {
  /** Default "float32". */
  readonly accumulator?: Accumulator;
  /** Nodes whose results are not rounded, such as those of the optimizer (master weights). Default: none. */
  readonly keep?: (node: Node) => boolean;
}

/** Operators that only move numbers that are rounded already. */
const EXACT = new Set([
  "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Concat", "Split", "Slice", "Expand", "Tile",
  "Gather", "GatherElements", "GatherND", "DepthToSpace", "SpaceToDepth", "Relu", "Max", "Min", "Neg", "Abs", "MaxPool",
  "ReduceMax", "ReduceMin", "Cast",
]); // biome-ignore format: a table

/** Operators that sum many terms, which a float16 accumulator changes; others of them are refused with it. */
const SUMS = new Set(["ReduceSum", "ReduceMean", "MatMul"]);
const OTHER_SUMS = new Set(["Conv", "ConvTranspose", "Gemm", "Einsum", "AveragePool", "GlobalAveragePool", "CumSum"]);

/**
 * Returns a program that computes in float16 what the given one computes in float32: inputs, constants and every result are
 * rounded to the nearest float16 (overflowing to infinity above 65504, flushing below 6e-8), sums as the accumulator says.
 * Values stay float32 tensors.
 *
 * @throws UnsupportedError for operators whose sums cannot be formed with a float16 accumulator: convolutions, Gemm, Einsum.
 * @see Norm matters, arXiv:1803.01814, section 5: why L1 and L-infinity norms survive float16 and L2 does not.
 * @example
 * const half = { ...step, program: simulateFloat16(step.program, { keep: (node) => node.name.startsWith("optimizer/") }) };
 */
export function simulateFloat16(original: Program, options: SimulateFloat16Options = {}): Program {
  const { accumulator = "float32", keep = () => false } = options;
  const { program } = cloneProgram(original);
  // What several operators compute, gradients and statistics of batches among it, rounds after each of them.
  rewriteProgram(program, (node, ops) => {
    const key = node.domain === "modicum" ? `modicum:${node.operator}` : node.operator;
    if (key === "modicum:Standardize") return decompositions[key]!(node, ops);
    const isWritten = node.domain === "modicum" || (key === "BatchNormalization" && node.domain === "");
    return isWritten ? lowerings[key]?.(node, ops, { device: "cpu" }) : undefined;
  });
  rewriteProgram(program, (node, ops) =>
    node.operator === "BatchNormalization" && node.domain === "" ? standardized(node, ops) : undefined,
  );
  const rounded = new Map<Value, Value>();
  const simulate: Rewrite = (node, ops) => {
    if (node.subgraphs.length > 0) return undefined;
    const kept = keep(node);
    const inputs = node.inputs.map((input) => (input && !kept ? roundedSource(input, ops, rounded) : input));
    inputs.forEach((input, index) => {
      node.inputs[index] = input;
    });
    if (kept || node.outputs[0]?.dtype !== "float32" || EXACT.has(node.operator)) return undefined;
    if (accumulator !== "float32") {
      if (OTHER_SUMS.has(node.operator)) throw refusal(node, accumulator);
      if (SUMS.has(node.operator)) return [summed(node, ops, accumulator)];
    }
    const results = ops.emitAll(node.operator, node.inputs, node.outputs.length, Object.fromEntries(node.attributes), {
      domain: node.domain,
    });
    return results.map((result) => (result.dtype === "float32" ? round(ops, result) : result));
  };
  rewriteProgram(program, simulate);
  program.opsets.delete("modicum");
  return program;
}

/** (x - mean) / sqrt(variance + epsilon) scale + bias */
function standardized(node: Node, ops: Ops): readonly Value[] {
  const x = node.input(0);
  const places = ops.shapeOf(x).slice(2);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
    ops.reshape(node.input(index), [-1, ...places.map(() => 1)]),
  ) as [Value, Value, Value, Value];
  const deviation = ops.sqrt(ops.add(variance, node.float("epsilon", 1e-5)));
  return [ops.add(ops.mul(ops.div(ops.sub(x, mean), deviation), scale), bias)];
}

/** Inputs and constants are rounded where they enter; results of nodes are already. */
function roundedSource(value: Value, ops: Ops, rounded: Map<Value, Value>): Value {
  if (value.producer || value.dtype !== "float32") return value;
  const known = rounded.get(value) ?? round(ops, value);
  rounded.set(value, known);
  return known;
}

/** The nearest float16 number, ties to even, as float32. */
function round(ops: Ops, x: Value): Value {
  return ops.cast(ops.cast(x, "float16"), "float32");
}

function refusal(node: Node, accumulator: Accumulator): UnsupportedError {
  return new UnsupportedError(
    `simulateFloat16: sums must be written as MatMul, ReduceSum or ReduceMean for a ${accumulator} accumulator, got ${node.label}. ` +
      'Use the accumulator "float32", or keep the node.',
  );
}

function summed(node: Node, ops: Ops, accumulator: "pairwise" | "sequential"): Value {
  if (node.operator === "MatMul") return product(node, ops, accumulator);
  const x = node.input(0);
  const shape = ops.shapeOf(x);
  const kept = ops.shapeOf(node.output());
  const given = ops.numbersOf(node.inputs[1]) ?? shape.map((_, axis) => axis);
  const axes = given.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const others = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const rest = others.map((axis) => shape[axis]!);
  const terms = ops.reshape(ops.transpose(x, [...axes, ...others]), [count, ...rest]);
  const sum = accumulator === "pairwise" ? pairwise(ops, terms) : sequential(ops, [terms], ([term]) => term!);
  const result = ops.reshape(sum, kept);
  return node.operator === "ReduceMean" ? round(ops, ops.div(result, count)) : result;
}

/** Sums along the first axis by halves: as many roundings as the count has binary digits. */
function pairwise(ops: Ops, terms: Value): Value {
  const [count, ...rest] = ops.shapeOf(terms) as [number, ...number[]];
  if (count === 1) return ops.reshape(terms, rest);
  const half = Math.floor(count / 2);
  const part = (start: number, end: number) => ops.slice(terms, { axes: [0], starts: [start], ends: [end] });
  const sum = round(ops, ops.add(part(0, half), part(half, 2 * half)));
  return pairwise(ops, count % 2 === 0 ? sum : ops.concat([sum, part(2 * half, count)], 0));
}

/** Sums along the first axis one after the other, in a Scan whose state is rounded each time. */
function sequential(ops: Ops, inputs: readonly Value[], term: (slices: readonly Value[], ops: Ops) => Value): Value {
  const body = ops.inside("sum");
  const slices = inputs.map((input, index) => body.input(`term_${index}`, "float32", ops.shapeOf(input).slice(1)));
  const added = term(slices, body);
  const shape = body.shapeOf(added);
  const state = body.input("sum", "float32", shape);
  const { graph } = body.writer;
  graph.inputs = [state, ...slices];
  graph.outputs = [round(body, body.add(state, added))];
  return ops.emit("Scan", [ops.full(shape, 0), ...inputs], { body: graph, num_scan_inputs: inputs.length });
}

/** A product of matrices as a sum of outer products, each rounded. */
function product(node: Node, ops: Ops, accumulator: "pairwise" | "sequential"): Value {
  const [a, b] = [node.input(0), node.input(1)];
  if (staticShape(a)?.length !== 2 || staticShape(b)?.length !== 2) throw refusal(node, accumulator);
  const columns = ops.unsqueeze(ops.transpose(a, [1, 0]), [2]);
  const rows = ops.unsqueeze(b, [1]);
  if (accumulator === "pairwise") return pairwise(ops, round(ops, ops.mul(columns, rows)));
  return sequential(ops, [columns, rows], ([column, row], body) => round(body, body.mul(column!, row!)));
}
