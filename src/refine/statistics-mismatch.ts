/** How far the statistics of activations are from those that a model knows, as a program that can be differentiated. */
import { GraphWriter, Ops } from "../build/index.ts";
import { cloneProgram, Program, removeDeadNodes, type Value } from "../program/index.ts";
import { float32 } from "../tensor/index.ts";
import { type KnownStatistics, knownStatistics } from "./known-statistics.ts";

/**
 * Returns the program that computes from a model's input how far the statistics of its activations are from those that its
 * batch normalizations know: one number, 0 when all agree.
 *
 * It is the divergence KL(N(m, v) || N(mean, variance)) = (v / variance + (m - mean)^2 / variance - log(v / variance) - 1) / 2 of
 * normal distributions with the batch's mean m and variance v, averaged over the channels of each normalization and then over
 * normalizations (Haroush et al. 2019, arXiv:1912.01274, section 3.2): channels count alike, however large their numbers. The
 * normalization's epsilon is added to both variances, so that channels that never change are no problem.
 *
 * @param model At least one of its batch normalizations has known statistics. It is not changed.
 * @param shape Of the model's input, with the batch.
 */
export function statisticsMismatch(model: Program, shape: readonly number[]): Program {
  const { program } = cloneProgram(model);
  const { graph } = program;
  graph.inputs = graph.inputs.filter((input) => !input.constant);
  graph.inputs[0]!.shape = [...shape];
  const known = knownStatistics(program);
  // Shapes that the file declares are for other batches.
  for (const node of graph.nodes) for (const output of node.outputs) if (output) output.shape = undefined;
  const writer = new GraphWriter(graph, program.opset);
  writer.raiseOpset(program.opsets);
  const ops = new Ops(writer).at("mismatch");
  const divergences = known.map((one) => divergence(ops, one));
  const sum = divergences.reduce((a, b) => ops.add(a, b));
  graph.outputs = [ops.div(sum, divergences.length)];
  graph.outputs[0]!.name = MISMATCH;
  removeDeadNodes(graph);
  return new Program(graph, writer.opsets);
}

/** Name of the output of the mismatch's program. */
export const MISMATCH = "mismatch";

function divergence(ops: Ops, { value, mean, variance, epsilon, rank }: KnownStatistics): Value {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
  const perChannel = (numbers: Float64Array): Value =>
    ops.constant(float32([1, numbers.length, ...axes.slice(1).map(() => 1)], Float32Array.from(numbers)));
  const batchMean = ops.reduceMean(value, { axes });
  const batchVariance = ops.reduceMean(ops.square(ops.sub(value, batchMean)), { axes });
  const precision = perChannel(variance.map((known) => 1 / (known + epsilon)));
  const ratio = ops.mul(ops.add(batchVariance, epsilon), precision);
  const shift = ops.mul(ops.square(ops.sub(batchMean, perChannel(mean))), precision);
  const terms = ops.sub(ops.sub(ops.add(ratio, shift), ops.log(ratio)), 1);
  return ops.mul(ops.reduceMean(terms, { keepDims: false }), 0.5);
}
