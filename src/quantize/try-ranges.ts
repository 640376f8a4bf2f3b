/** Choosing between range methods by what the model computes with them. */
import { cloneProgram, Emitter, Graph, Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { isFloat } from "../tensor/index.ts";
import type { ActivationGrid } from "./grid.ts";
import { emitDequantized, emitQuantized } from "./grid-tensors.ts";
import { insertAfterValues } from "./lowering/insert-after-values.ts";
import { type MeasuredPair, measureSqnr } from "./measure.ts";
import type { CalibrationData } from "./options.ts";

/** What a trial needs. */
export interface TrialOptions {
  readonly runtime: Runtime;
  /** Batches of data to run. */
  readonly batches: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns the index of the candidate with the least error at the model's outputs, in the mean over outputs of the signal to
 * noise in decibels; the first where it makes no difference. Each candidate rounds some activations of the float model to
 * grids; all run side by side in one program.
 */
export async function bestCandidate(
  program: Program,
  candidates: readonly ReadonlyMap<Value, ActivationGrid>[],
  data: CalibrationData,
  { runtime, batches, signal }: TrialOptions,
): Promise<number> {
  const reference = cloneProgram(program);
  const outputs = program.graph.outputs.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  if (outputs.length === 0) return 0;
  const trials = candidates.map((grids) => rounded(program, grids));
  const pairs = trials.flatMap(({ outputOf }) =>
    outputs.map((output): MeasuredPair => {
      return { float: reference.values.get(output)!, quantized: { value: outputOf(output), grid: undefined } };
    }),
  );
  const joined = join(trials.map((trial) => trial.program));
  const lowered = { program: joined, values: new Map() };
  const sqnr = await measureSqnr(reference.program, lowered, pairs, data, {
    runtime,
    simulation: true,
    batches,
    signal,
  });
  const scores = candidates.map((_, i) => {
    const own = sqnr
      .slice(i * outputs.length, (i + 1) * outputs.length)
      .map((decibels) => Math.min(decibels ?? 0, 200));
    return own.reduce((sum, decibels) => sum + decibels, 0);
  });
  return scores.indexOf(Math.max(...scores));
}

/** A copy of a program that rounds some values to their grids, and where an output is in it. */
function rounded(
  program: Program,
  grids: ReadonlyMap<Value, ActivationGrid>,
): { readonly program: Program; outputOf(output: Value): Value } {
  const { program: copy, values } = cloneProgram(program);
  const emitter = new Emitter();
  const copied = new Map([...grids].map(([value, grid]) => [values.get(value)!, grid]));
  insertAfterValues(copy, copied, emitter, {
    insert: (value, grid) => {
      const options = { dtype: "uint8", shape: value.shape } as const;
      return emitDequantized(emitter, emitQuantized(emitter, value, grid, options), grid);
    },
    before: () => {},
  });
  const { outputs } = copy.graph;
  return { program: copy, outputOf: (output) => outputs[program.graph.outputs.indexOf(output)]! };
}

/** One program of several with the same inputs. */
function join(programs: readonly Program[]): Program {
  const [first] = programs as readonly [Program];
  const { inputs } = first.graph;
  const nodes = programs.flatMap(({ graph }) => {
    graph.inputs.forEach((input, i) => {
      graph.replaceUses(input, inputs[i]!);
    });
    for (const node of graph.nodes) node.name = "";
    return graph.nodes;
  });
  const outputs = programs.flatMap(({ graph }) => graph.outputs);
  const joined = new Program(new Graph("trials", { inputs, outputs, nodes }), first.opsets, first.irVersion);
  joined.functions = first.functions;
  return joined;
}
