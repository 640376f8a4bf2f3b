/** Many steps in one run: the step as the body of an ONNX Loop, so that variables stay inside the engine between steps. */
import { Ops } from "../build/index.ts";
import { Graph, Node, Program, Value } from "../program/index.ts";
import { LEARNING_RATE, type TrainStep } from "./train-step.ts";

/** Name of the axis along which batches, learning rates and metrics of several steps are stacked. */
const STEPS = "steps";

/**
 * Returns a program that takes as many steps as learning rates are fed: the batches' inputs and `learningRate` have a leading
 * axis of steps, so have the metrics; variables go in once and come out once. Each step computes what it computes alone, bit
 * for bit; nothing of the variables is copied between them.
 *
 * @param lowered The step's program, ready to run; it becomes the body and must not be used again.
 */
export function loopSteps(step: TrainStep, lowered: Program): Program {
  const body = lowered.graph;
  const outer = new Ops();
  const byName = new Map(body.inputs.map((input) => [input.name, input]));
  const iteration = new Value("iteration", "int64", []);
  const going = new Value("going", "bool", []);
  const stacked = [...Object.keys(step.inputs), LEARNING_RATE].flatMap((name) => {
    const value = byName.get(name);
    if (!value) return [];
    const input = outer.input(name, value.dtype!, [STEPS, ...value.shape!]);
    return [new Node("Gather", [input, iteration], [value], { attributes: { axis: 0 } })];
  });
  const carried = step.variables.map(({ path }) => byName.get(path)!);
  const results = new Map(body.outputs.map((output) => [output.name, output]));
  const stillGoing = new Value("still_going", "bool", []);
  const loop = new Graph("step", {
    inputs: [iteration, going, ...carried],
    nodes: [...stacked, ...body.nodes, new Node("Identity", [going], [stillGoing])],
    outputs: [
      stillGoing,
      ...step.variables.map(({ next }) => results.get(next)!),
      ...step.metrics.map((name) => results.get(name)!),
    ],
  });
  const starts = step.variables.map(({ path, dtype, shape }) => outer.input(path, dtype, shape));
  const rates = outer.writer.graph.inputs.find(({ name }) => name === LEARNING_RATE)!;
  const count = outer.reshape(outer.emit("Shape", [rates]), []);
  const ends = step.variables.map(({ next, dtype, shape }) => new Value(next, dtype, shape));
  const traces = step.metrics.map(
    (name) => new Value(name, results.get(name)!.dtype, [STEPS, ...results.get(name)!.shape!]),
  );
  const { graph } = outer.writer;
  graph.nodes.push(
    new Node("Loop", [count, undefined, ...starts], [...ends, ...traces], { attributes: { body: loop } }),
  );
  graph.outputs = [...traces, ...ends];
  return new Program(graph, lowered.opsets, lowered.irVersion);
}
