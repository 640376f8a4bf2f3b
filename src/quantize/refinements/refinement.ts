/** Refinements: what brings a quantized model closer to the float model, after ranges and before it is written. */
import type { Layer } from "../../prepare/index.ts";
import type { Program, Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import type { ActivationPlan } from "../activation-plan.ts";
import type { ActivationGrid } from "../grid.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import type { CalibrationData, Progress } from "../options.ts";
import type { Settings } from "../settings.ts";

/** A quantization before it is written: which integers the weights are, and on which grids activations are rounded. */
export interface Draft {
  /** The prepared float program, with its shapes recorded. A draft never changes it. */
  readonly program: Program;
  /** The layers that can be quantized, in execution order. Where `sharesWeight`, layers with one weight have one set of integers. */
  readonly layers: readonly Layer[];
  readonly plan: ActivationPlan;
  readonly settings: Settings;
  /** What the weights became, of each layer that is not left in float. */
  readonly weights: ReadonlyMap<Layer, QuantizedLayer>;
  /**
   * Grid of every quantized activation, those included that share one (`plan.sameGridAs`, `plan.concatenations`). Empty when
   * activations stay in float. Bounds of a ReLU before the value are its grid's: the draft saturates there.
   */
  readonly grids: ReadonlyMap<Value, ActivationGrid>;
}

/** What a rewrite can use. */
export interface RewriteContext {
  readonly runtime: Runtime;
  /** The caller's samples, or made-up ones when `hasData` is false. */
  readonly data: CalibrationData;
  /** Whether the data are the caller's. */
  readonly hasData: boolean;
  readonly settings: Settings;
  readonly signal: AbortSignal | undefined;
}

/** What a refinement can use. */
export interface RefinementContext extends Omit<RewriteContext, "settings"> {
  /** The float model's samples to fit to; others are kept for judging. */
  readonly data: CalibrationData;
  readonly seed: number;
  readonly onProgress: (progress: Progress) => void;
  /** Time of `performance.now()` by which to be done; infinite without a budget. What is not done by then stays as it was. */
  readonly deadlineMs: number;
  /** Parts that an interrupted run had done, and that are in the draft. */
  readonly skip: number;
}

/** What a refinement has reached after one of its parts, such as a layer or a block: always a whole draft. */
export interface RefinedPart {
  readonly draft: Draft;
  readonly done: number;
  readonly total: number;
  /** Of what there are `total`: "layer", "block", "step". */
  readonly unit: string;
  /** What the user should know, such as parts that were left as they were, and why. */
  readonly notes?: readonly string[];
}

/**
 * One way to lose less. It may rewrite the float program before ranges are chosen, or choose better integers and grids
 * afterwards, or both. Each is one file, and one entry of `refinements`.
 */
export interface Refinement {
  /** Such as "error-feedback". */
  readonly name: string;
  /** One line for the command's help. */
  readonly summary: string;
  /** Whether it needs samples of the caller's. Default true for `refine`, false for `rewrite`. */
  readonly needsData?: boolean;
  /** How much of the time that is left it may take, relative to those after it. Default 1. */
  readonly effort?: number;
  /** Changes the prepared program's weights in place; its outputs stay what they are, to rounding. Returns what to tell the user. */
  rewrite?(program: Program, layers: readonly Layer[], context: RewriteContext): Promise<readonly string[]>;
  /** Gives better drafts, part by part. Stops early at the deadline; rejects with the signal's reason when that is aborted. */
  refine?(draft: Draft, context: RefinementContext): AsyncIterable<RefinedPart>;
}
