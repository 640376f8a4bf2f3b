/** Drafts of small models, and runs of small programs, for the tests of this folder. */
import { Ops } from "../build/index.ts";
import { loweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import {
  type CalibrationData,
  type Draft,
  type QuantizeOptions,
  quantize,
  type RefinedPart,
  type RefinementContext,
  simulateDraft,
} from "../quantize/index.ts";
import { cloneDraft } from "../quantize/refinements/clone-draft.ts";
import { runtime } from "../quantize/small-models.cases.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";

/** Returns what `quantize` would write without refinements. */
export async function draftOf(
  program: Program,
  calibration: CalibrationData,
  options: Partial<QuantizeOptions> = {},
): Promise<Draft> {
  let seen: Draft | undefined;
  const capture = {
    name: "capture",
    summary: "for tests",
    async *refine(draft: Draft): AsyncGenerator<RefinedPart> {
      // Lowering will rewrite the program in place.
      seen = cloneDraft(draft).draft;
      yield { draft, done: 1, total: 1, unit: "part" };
    },
  };
  const asked = { runtime, weights: 4, policy: "uniform", calibration, ...options, refinements: [capture] };
  await quantize(program, asked);
  return seen!;
}

/** A context of a refinement. */
export function contextOf(data: CalibrationData, options: Partial<RefinementContext> = {}): RefinementContext {
  return {
    runtime,
    data,
    hasData: true,
    seed: 0,
    signal: undefined,
    onProgress: () => {},
    deadlineMs: Number.POSITIVE_INFINITY,
    skip: 0,
    ...options,
  };
}

/** Runs what `write` writes on tensors that are fed under the names it asks for; returns its values as numbers. */
export async function runOps(
  write: (ops: Ops) => readonly Value[],
  feeds: Readonly<Record<string, Tensor>> = {},
): Promise<number[][]> {
  const ops = new Ops();
  const values = write(ops).map((value) => ops.identity(value));
  ops.writer.graph.outputs = [...values];
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, await loweringTarget(runtime));
  const session = await runtime.createSession(writeModel(program));
  const results = await session.run(feeds);
  await session.release();
  return values.map(({ name }) => [...toNumbers(results[name]!)]);
}

/** What a draft gives for a batch, simulated. */
export async function outputsOf(draft: Draft, feeds: Readonly<Record<string, Tensor>>): Promise<number[]> {
  const { program } = simulateDraft(draft);
  const session = await runtime.createSession(writeModel(program));
  const results = await session.run(feeds);
  await session.release();
  return [...toNumbers(results[program.graph.outputs[0]!.name]!)];
}
