/** A watch over what a step makes of its variables. */
import { GraphWriter, Ops } from "../build/index.ts";
import type { Program } from "../program/index.ts";
import { isFloat } from "../tensor/index.ts";
import type { TrainStep } from "./train-step.ts";

/** Name of the output that is finite if all next parameters and statistics are. */
export const WATCH = "modicum.watch";

/**
 * Adds one number to the outputs of a step: the sum over all next parameters and statistics, which is infinite or NaN if one of
 * them is. A gradient can overflow while the loss is still finite; without the watch the next loss would tell, and the
 * variables would be lost.
 */
export function watchFinite(program: Program, { variables, dtype }: TrainStep): void {
  const { graph } = program;
  const ops = new Ops(new GraphWriter(graph, program.opset));
  const outputs = new Map(graph.outputs.map((output) => [output.name, output]));
  const sums = variables.flatMap((variable) => {
    const watched = (variable.role === "parameter" || variable.role === "statistic") && isFloat(variable.dtype);
    const next = watched && outputs.get(variable.next);
    return next ? [ops.reduceSum(ops.reshape(ops.cast(next, dtype), [-1]), { axes: [0] })] : [];
  });
  const sum = sums.length > 0 ? ops.reduceSum(ops.concat(sums, 0), { keepDims: false }) : ops.scalar(0, dtype);
  const watch = ops.identity(sum);
  watch.name = WATCH;
  graph.outputs.push(watch);
}
