/** Variables in half the memory: stored as float16, computed with as float32. */
import { type DerivedStart, GraphWriter, type Initializer, Ops } from "../build/index.ts";
import { cloneProgram } from "../program/index.ts";
import { Tensor, toNumbers } from "../tensor/index.ts";
import type { StepVariable, TrainStep } from "./train-step.ts";

/**
 * Returns the step with some of its variables stored as float16: they are widened when the step begins and rounded to the
 * nearest float16 when it ends. Updates smaller than half a unit in the last place (2^-11 relative) are lost by it: keep the
 * parameters of long trainings in float32, and store slots or frozen parts.
 *
 * @param which Default: all float32 variables.
 * @example
 * const step = storeFloat16(trainStep({ ... }), ({ role }) => role === "slot");
 */
export function storeFloat16(step: TrainStep, which: (variable: StepVariable) => boolean = () => true): TrainStep {
  const { program } = cloneProgram(step.program);
  const { graph } = program;
  const stored = new Map(
    step.variables.filter((variable) => variable.dtype === "float32" && which(variable)).map((one) => [one.path, one]),
  );
  const before = new Ops();
  for (const input of graph.inputs.filter(({ name }) => stored.has(name))) {
    input.dtype = "float16";
    const widened = before.cast(input, "float32");
    graph.replaceUses(input, widened);
  }
  const after = new Ops(new GraphWriter(graph, program.opset));
  const nextNames = new Set([...stored.values()].map(({ next }) => next));
  graph.outputs = graph.outputs.map((output) => {
    if (!nextNames.has(output.name)) return output;
    const rounded = after.cast(output, "float16");
    rounded.name = output.name;
    output.name = `${output.name}.float32`;
    return rounded;
  });
  graph.nodes = [...before.writer.graph.nodes, ...graph.nodes];
  const variables = step.variables.map((variable) =>
    stored.has(variable.path) ? { ...variable, dtype: "float16" as const, initial: numbersOf(variable) } : variable,
  );
  const build: TrainStep["builder"]["build"] = (shapes) => storeFloat16(step.builder.build(shapes), which);
  return { ...step, program, variables, builder: { program, build } };
}

function numbersOf({ initial }: StepVariable): Initializer | DerivedStart {
  return initial instanceof Tensor ? () => toNumbers(initial) : initial;
}
