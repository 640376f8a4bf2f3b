/** Assertions of an experiment, and the verdict that follows from them. */
import type { Estimate } from "./estimate.ts";

/** Standard errors by which a number must lie on one side of a bound to be clearly there. */
export const CLEARLY = 2;

/** Something that must be so if what was published is true: a measured number lies above a bound, below one, or between two. */
export interface Claim {
  /** As a sentence: "clipping beats min-max at 4-bit activations". */
  readonly statement: string;
  readonly measured: Estimate;
  /** Unit of the measured number, such as "points". */
  readonly unit?: string;
  /** Lower bound. */
  readonly above?: number;
  /** Upper bound. */
  readonly below?: number;
  /**
   * "clear": holds only if the number is inside the bounds by more than two standard errors.
   * "consistent": holds unless the number is outside them by more than two standard errors; for claims of equality.
   */
  readonly evidence: "clear" | "consistent";
  /** Whether the verdict depends on it. */
  readonly decisive: boolean;
}

/** A claim with what came of it. */
export interface JudgedClaim extends Claim {
  /** Distance to the nearer bound; negative outside. */
  readonly margin: number;
  /** The margin in standard errors; null when the standard error is not known, or zero. */
  readonly standardErrors: number | null;
  readonly holds: boolean;
  /** "undecided": neither shown nor contradicted beyond two standard errors. */
  readonly outcome: "holds" | "undecided" | "fails";
}

/** What is said of an experiment as a whole. */
export type ExperimentVerdict = "reproduced" | "partly reproduced" | "not reproduced";

/** Judges one claim. Without a standard error the number itself decides. */
export function judge(claim: Claim): JudgedClaim {
  const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY, evidence } = claim;
  const { mean, standardError } = claim.measured;
  const margin = Math.min(mean - above, below - mean);
  const slack = CLEARLY * (standardError ?? 0);
  const holds = evidence === "clear" ? margin > slack : margin >= -slack;
  const fails = evidence === "clear" ? margin <= -slack : !holds;
  // A number that is not one (a run that diverged) proves nothing.
  const outcome = holds ? "holds" : fails || Number.isNaN(margin) ? "fails" : "undecided";
  return { ...claim, margin, standardErrors: standardError ? margin / standardError : null, holds, outcome };
}

/**
 * Returns the verdict: "reproduced" if all decisive claims hold, "partly reproduced" if at least one of those that need
 * clear evidence does, otherwise "not reproduced". That claims of equality hold proves nothing by itself: any experiment
 * that is noisy enough gets them.
 *
 * @param claims At least one of them decisive and in need of clear evidence.
 */
export function verdictOf(claims: readonly JudgedClaim[]): ExperimentVerdict {
  const decisive = claims.filter((claim) => claim.decisive);
  const clear = decisive.filter(({ evidence }) => evidence === "clear");
  if (clear.length === 0)
    throw new Error("internal: an experiment must have a decisive claim that needs clear evidence.");
  if (decisive.every(({ holds }) => holds)) return "reproduced";
  return clear.some(({ holds }) => holds) ? "partly reproduced" : "not reproduced";
}

/** Returns sentences on why the verdict is what it is. */
export function reasonsOf(claims: readonly JudgedClaim[]): string[] {
  const decisive = claims.filter((claim) => claim.decisive);
  const held = decisive.filter(({ holds }) => holds).length;
  const reasons = [`${held} of ${decisive.length} decisive assertions hold.`];
  for (const { statement, holds, outcome } of decisive) {
    if (holds) continue;
    reasons.push(outcome === "fails" ? `Not so: ${statement}.` : `Not clear beyond the noise: ${statement}.`);
  }
  return reasons;
}
