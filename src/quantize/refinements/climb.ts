/** Climbing the ladder: one refinement after the other, each kept only if samples it was not fitted to say that it helps. */
import type { RungReport } from "../report-data.ts";
import { judge } from "./judge.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "./refinement.ts";
import { splitData } from "./split-data.ts";
import { openWork, type WorkStore } from "./work-store.ts";

/** A rung, and the draft that stands on it. */
export interface Rung extends RungReport {
  readonly draft: Draft;
}

/** Options of `climb`. */
export interface ClimbOptions extends Omit<RefinementContext, "skip"> {
  /** Keeps what is done between calls. */
  readonly work?: WorkStore | undefined;
  /** Tells this quantization from others, so that no other's work is taken up. */
  readonly identity: string;
}

/** Labelled data are the caller's affair. */
const unmeasured = { evaluation: null } as const;

/**
 * Refines a draft, and returns every rung: those given, in their order, and one for each refinement. The best is the last one
 * that is `kept`.
 *
 * @param starts The rungs without refinements, the best of them last.
 */
export async function climb(
  starts: readonly { readonly name: string; readonly draft: Draft }[],
  refinements: readonly Refinement[],
  options: ClimbOptions,
): Promise<Rung[]> {
  const { signal, deadlineMs, hasData } = options;
  const { fit, judge: judged, divided } = await splitData(options.data);
  const sqnrOf = (draft: Draft) => judge(draft, judged, options);
  const rungs: Rung[] = [];
  for (const start of starts) {
    rungs.push({ ...start, outputSqnrDb: await sqnrOf(start.draft), seconds: 0, kept: true, notes: [], ...unmeasured });
  }
  const work = await openWork(options.work, options.identity, starts.at(-1)!.draft);
  rungs.push(...work.rungs);
  const climbing = refinements.filter(({ refine }) => refine !== undefined).slice(work.rungs.length);
  for (const [i, refinement] of climbing.entries()) {
    const { name } = refinement;
    const best = rungs.findLast(({ kept }) => kept)!;
    const obstacle = obstacleTo(refinement, { hasData, deadlineMs });
    if (obstacle !== undefined) {
      rungs.push({ ...best, name, seconds: 0, kept: false, notes: [obstacle], ...unmeasured });
      continue;
    }
    const started = performance.now();
    const unfinished = work.takeUnfinished(name);
    const own = { data: fit, skip: unfinished?.done ?? 0, deadlineMs: shareOf(deadlineMs, climbing.slice(i)) };
    const context = { ...options, ...own };
    const notes: string[] = divided
      ? []
      : ["too few samples to keep some for judging: judged by those it was fitted to"];
    let last: RefinedPart | undefined;
    for await (const part of refinement.refine!(unfinished?.draft ?? best.draft, context)) {
      signal?.throwIfAborted();
      last = part;
      notes.push(...(part.notes ?? []));
      options.onProgress({ stage: name, done: part.done, total: part.total, unit: part.unit });
      await work.save(rungs.slice(starts.length), { name, draft: part.draft, done: part.done });
    }
    if (!last) notes.push("nothing was done: the model has nothing for it, or there was too little time");
    else if (last.done < last.total) notes.push(`out of time after ${last.done} of ${last.total} ${last.unit}s`);
    const draft = last?.draft ?? best.draft;
    const outputSqnrDb = await sqnrOf(draft);
    const kept =
      last !== undefined && (outputSqnrDb === null || best.outputSqnrDb === null || outputSqnrDb >= best.outputSqnrDb);
    const seconds = (performance.now() - started) / 1000;
    rungs.push({ name, draft, outputSqnrDb, seconds, kept, notes, ...unmeasured });
    await work.save(rungs.slice(starts.length), undefined);
  }
  return rungs;
}

/** When the first of some refinements is to be done, if they share the time that is left by their effort. */
function shareOf(deadlineMs: number, refinements: readonly Refinement[]): number {
  const efforts = refinements.map(({ effort = 1 }) => effort);
  const now = performance.now();
  return now + ((deadlineMs - now) * efforts[0]!) / efforts.reduce((sum, effort) => sum + effort, 0);
}

/** Why a refinement cannot be tried at all; undefined when it can. */
function obstacleTo(
  { needsData = true }: Refinement,
  { hasData, deadlineMs }: Pick<RefinementContext, "hasData" | "deadlineMs">,
): string | undefined {
  if (needsData && !hasData) return "not done: it needs samples";
  return performance.now() >= deadlineMs ? "not done: no time left" : undefined;
}
