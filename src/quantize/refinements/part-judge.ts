/** Judging parts of a refinement as they are done: a least error of one layer need not be one of the model. */
import type { Layer } from "../../prepare/index.ts";
import type { CalibrationData } from "../options.ts";
import { judge } from "./judge.ts";
import type { Draft, RefinedPart, RefinementContext } from "./refinement.ts";
import { splitData } from "./split-data.ts";

/** What a part may cost on samples kept back, dB: later layers make up for some of it. */
const TOLERATED_DB = 0.25;

/** The best draft so far; every part is kept only if the model's outputs stay about as close to float on samples kept back. */
export class PartJudge {
  /** Samples to fit parts to. */
  readonly fit: CalibrationData;
  readonly #judged: CalibrationData;
  readonly #context: RefinementContext;
  #draft: Draft;
  #sqnrDb: number | null;

  private constructor(
    start: Draft,
    sqnrDb: number | null,
    parts: Record<"fit" | "judge", CalibrationData>,
    context: RefinementContext,
  ) {
    this.fit = parts.fit;
    this.#judged = parts.judge;
    this.#context = context;
    this.#draft = start;
    this.#sqnrDb = sqnrDb;
  }

  /** Divides a context's samples, and judges what there is. */
  static async open(start: Draft, context: RefinementContext): Promise<PartJudge> {
    const parts = await splitData(context.data);
    return new PartJudge(start, await judge(start, parts.judge, context), parts, context);
  }

  /** The draft of all parts that were kept. */
  get draft(): Draft {
    return this.#draft;
  }

  /** Takes a draft in which some layers are new, or leaves them as they were; returns what to tell of it. */
  async take(next: Draft, layers: readonly Layer[]): Promise<Pick<RefinedPart, "draft" | "notes">> {
    const sqnrDb = await judge(next, this.#judged, this.#context);
    if (sqnrDb === null || this.#sqnrDb === null || sqnrDb >= this.#sqnrDb - TOLERATED_DB) {
      this.#draft = next;
      this.#sqnrDb = sqnrDb;
      return { draft: next };
    }
    const notes = layers.map(
      ({ node }) => `${node.label} left as it was: the model's outputs would be further from float`,
    );
    return { draft: this.#draft, notes };
  }
}
