/** Preparing a float program for quantization: every pass, until none finds anything to do. */
import { ModicumError, RuntimeFailure } from "../errors.ts";
import { inferShapes } from "../ops/index.ts";
import { cloneProgram, type Program } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type OutputDifference, outputDifference } from "./difference.ts";
import type { Pass } from "./pass.ts";
import { passes as allPasses } from "./passes/index.ts";

/** How to prepare. */
export interface PrepareOptions {
  /** Computes constant parts, and runs the verification. */
  readonly runtime: Runtime;
  /** One set of inputs on which the prepared program must give the original's outputs. Not checked when absent. */
  readonly verify?: Readonly<Record<string, Tensor>>;
  /**
   * Largest difference allowed, relative to the largest magnitude of the output. Default 1e-3: folding in float32 changes
   * outputs by about 1e-6, in float16 by about 1e-3 at most, and a wrong rewrite by far more.
   */
  readonly tolerance?: number;
  /** Default: all of `passes`. */
  readonly passes?: readonly Pass[];
}

/** A program made ready for quantization. */
export interface PreparedProgram {
  readonly program: Program;
  /** How many places each pass changed, by its name; passes that changed nothing are absent. */
  readonly changes: ReadonlyMap<string, number>;
  /** Against the original; null when it was not asked for, or the program is random. */
  readonly difference: OutputDifference | null;
  /** Which declared shapes contradict each other or the inputs, and were therefore forgotten; null when none do. */
  readonly shapeProblem: string | null;
}

/** More rounds than any chain of rewrites needs; a model that reaches it shows two passes that undo each other. */
const MAX_ROUNDS = 20;

/** Operators whose outputs differ from run to run. */
const RANDOM = /^(Random(Normal|Uniform)(Like)?|Multinomial|Bernoulli)$/;

/**
 * Copies a float program and rewrites the copy for quantization: constants folded, batch norms and biases in the layers
 * they belong to, no-ops gone. The copy computes the same outputs, under the same names. Runs all passes in rounds until
 * a round changes nothing.
 *
 * @throws RuntimeFailure if ONNX Runtime cannot compute a constant part, or with `verify` if outputs differ.
 * @example
 * const { program, changes } = await prepareProgram(readModel(bytes), { runtime: await nodeRuntime() });
 */
export async function prepareProgram(original: Program, options: PrepareOptions): Promise<PreparedProgram> {
  const { runtime, verify, tolerance = 1e-3, passes = allPasses } = options;
  const { program } = cloneProgram(original);
  const changes = new Map<string, number>();
  let shapeProblem: string | null = null;
  for (let round = 0, changed = true; changed; round++) {
    if (round === MAX_ROUNDS) throw new Error(`internal: preparation did not end after ${MAX_ROUNDS} rounds`);
    changed = false;
    const problem = inferOrForgetShapes(program);
    shapeProblem ??= problem;
    for (const pass of passes) {
      const count = await pass.run(program, { runtime });
      if (count === 0) continue;
      changes.set(pass.name, (changes.get(pass.name) ?? 0) + count);
      changed = true;
    }
  }
  const random = [...original.allNodes()].some((node) => RANDOM.test(node.operator));
  const difference = verify && !random ? await outputDifference(original, program, { runtime, feeds: verify }) : null;
  if (difference && !(difference.relative <= tolerance)) {
    throw new RuntimeFailure(
      `prepare: the prepared model must give the original's outputs within ${tolerance}, got a relative difference of ` +
        `${difference.relative.toPrecision(3)} at "${difference.output}" after ${[...changes.keys()].join(", ")}.`,
    );
  }
  return { program, changes, difference, shapeProblem };
}

/**
 * Infers shapes. Where declared shapes contradict each other or what follows from the inputs, the declared ones of computed
 * values are forgotten, as ONNX Runtime does: a rewrite must not rely on any of them. Returns what was wrong.
 */
function inferOrForgetShapes(program: Program): string | null {
  const problem = shapeProblemOf(program);
  if (problem === null) return null;
  for (const node of program.allNodes()) for (const output of node.outputs) if (output) output.shape = undefined;
  shapeProblemOf(program);
  return problem;
}

function shapeProblemOf(program: Program): string | null {
  try {
    inferShapes(program);
    return null;
  } catch (error) {
    if (error instanceof ModicumError) return error.message;
    throw error;
  }
}
