/** Compiling a training step for a device. */
import { OptionError } from "../errors.ts";
import { type LoweringTable, loweringTarget } from "../lower/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { initialVariables } from "./initial-variables.ts";
import { StepSessions } from "./step-sessions.ts";
import type { TrainStep } from "./train-step.ts";
import { Training } from "./training.ts";

/** How a step is compiled. */
export interface CompileOptions {
  readonly runtime: Runtime;
  /** Seed of the initial parameters and of all random numbers: a whole number below 2^32. Default 0. */
  readonly seed?: number;
  /** Variables to start from, by path; those that are absent start from their initializers. */
  readonly variables?: Readonly<Record<string, Tensor>>;
  /**
   * Makes the step the body of an ONNX Loop, so that `runMany` takes many steps in one call of the engine and variables stay
   * inside it between them: faster on WASM, which copies them out after every call. Default false.
   */
  readonly loop?: boolean;
  /** Which forms of gradients are fastest on this machine, as `tuneLowering` or `modicum tune` measured. Default: what we measured. */
  readonly table?: LoweringTable;
  /** How the products of a `precision` are computed: as products of bytes where the runtime forms those right, or in float. Default "integer". */
  readonly quantized?: "integer" | "simulated";
}

/** Random numbers in steps use 32 bits of it. */
const LARGEST_SEED = 2 ** 32 - 1;

/**
 * Compiles a training step: lowers it for the runtime's device and creates the session.
 *
 * @throws RuntimeFailure if ONNX Runtime refuses the step; the message names the layer at fault.
 * @throws OptionError if the seed is out of range, or `variables` has one that the step does not have, or of another shape.
 * @example
 * const training = await compile(step, { runtime: await nodeRuntime() });
 * const { loss } = await training.run({ x, label });
 */
export async function compile(step: TrainStep, options: CompileOptions): Promise<Training> {
  const { runtime, seed = 0, loop = false, table, quantized } = options;
  if (!Number.isInteger(seed) || seed < 0 || seed > LARGEST_SEED) {
    throw new OptionError(`compile: seed must be a whole number from 0 to ${LARGEST_SEED}, got ${seed}.`);
  }
  const target = await loweringTarget(runtime, { ...(table && { table }), ...(quantized && { quantized }) });
  const sessions = new StepSessions(step, { runtime, target, loop });
  const variables = { ...initialVariables(step.variables, seed, options.variables), ...options.variables };
  const training = new Training({ step, sessions, runtime, loop, variables });
  // Now, so that what is wrong with the step is said here.
  await sessions.for(step.inputs);
  return training;
}
