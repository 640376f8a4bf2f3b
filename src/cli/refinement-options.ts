/** `--optimize` and `--budget`: what is done beyond closed formulas, and for how long. */
import { type Command, InvalidArgumentError } from "commander";
import { OptionError } from "../errors.ts";
import type { QuantizeOptions } from "../quantize/index.ts";
import { duration } from "./option-values.ts";

/** What the options of `addRefinementOptions` leave in a command's options. */
export interface RefinementFlags {
  /** Names of refinements; true for those that are climbed by default. */
  readonly optimize?: true | readonly string[];
  /** Seconds. */
  readonly budget?: number;
}

/** Samples that ranges are chosen by, and that refinements are fitted to and judged by, unless stated. */
export const CALIBRATION_SAMPLES = 64;
export const REFINEMENT_SAMPLES = 256;

/** Seconds that `--optimize` may take, unless stated. */
export const DEFAULT_BUDGET_SECONDS: number = 15 * 60;

/** Adds `--optimize` and `--budget`. */
export async function addRefinementOptions(command: Command): Promise<void> {
  const { defaultRefinements, refinements } = await import("../refine/index.ts");
  const summaries = Object.entries(refinements).map(([name, make]) => `${name}: ${make().summary}`);
  const known = Object.keys(refinements);
  const names = (text: string): readonly string[] => {
    const asked = text.split(",").map((name) => name.trim());
    if (asked.every((name) => known.includes(name))) return asked;
    throw new InvalidArgumentError(`It must be some of ${known.join(", ")}, separated by commas.`);
  };
  command
    .option(
      "--optimize [refinements]",
      `spend minutes on accuracy, by ${defaultRefinements.join(", ")}; or by those named, separated by commas. ${summaries.join("; ")}`,
      names,
    )
    .option(
      "--budget <time>",
      `longest that --optimize goes on, such as 90s or 10m; the best so far is written (default ${DEFAULT_BUDGET_SECONDS / 60}m)`,
      duration,
    );
}

/**
 * Returns the fields of `QuantizeOptions` that were stated.
 *
 * @throws OptionError for a budget without anything to spend it on.
 */
export async function refinementsFromFlags({
  optimize,
  budget,
}: RefinementFlags): Promise<Pick<QuantizeOptions, "refinements" | "budgetSeconds">> {
  if (optimize === undefined) {
    if (budget === undefined) return {};
    throw new OptionError("--budget: must come with --optimize, got it alone: nothing else takes long.");
  }
  const { defaultRefinements, refinements } = await import("../refine/index.ts");
  const names = optimize === true ? defaultRefinements : optimize;
  return {
    // In the order of the ladder, whatever the order of the names.
    refinements: Object.entries(refinements).flatMap(([name, make]) => (names.includes(name) ? [make()] : [])),
    budgetSeconds: budget ?? DEFAULT_BUDGET_SECONDS,
  };
}
