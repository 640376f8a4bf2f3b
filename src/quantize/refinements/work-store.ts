/** Unfinished work: the rungs climbed so far and the parts of the next one, so that an interrupted call can be taken up again. */
import { readSafetensors, writeSafetensors } from "../../data/index.ts";
import { OptionError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { RungReport } from "../report-data.ts";
import { type PackedDraft, packDraft, unpackDraft } from "./pack-draft.ts";
import type { Draft } from "./refinement.ts";

/** Where unfinished work is kept between calls, such as a file. */
export interface WorkStore {
  /** Where that is, for messages. */
  readonly description: string;
  /** Returns what was saved last; undefined when nothing was. */
  load(): Promise<Uint8Array | undefined>;
  /** Replaces what was saved, all at once. */
  save(bytes: Uint8Array): Promise<void>;
}

interface FinishedRung extends RungReport {
  readonly draft: Draft;
}

/** A refinement that was interrupted after so many parts. */
interface Unfinished {
  readonly name: string;
  readonly draft: Draft;
  readonly done: number;
}

/** What was found, and a place for what follows. */
export interface Work {
  readonly rungs: readonly FinishedRung[];
  /** Returns the parts of a refinement that are done already, once. */
  takeUnfinished(name: string): Unfinished | undefined;
  save(rungs: readonly FinishedRung[], unfinished: Unfinished | undefined): Promise<void>;
}

/** The strings of the file. */
interface State {
  readonly rungs: readonly (RungReport & { readonly draft: PackedDraft })[];
  readonly unfinished?: { readonly name: string; readonly done: number; readonly draft: PackedDraft };
}

/**
 * Opens what an interrupted call left.
 *
 * @param start A draft of the same program, whose layers and values the saved ones are made of.
 * @throws OptionError if it was left by another quantization; DataError if it is damaged.
 */
export async function openWork(store: WorkStore | undefined, identity: string, start: Draft): Promise<Work> {
  const bytes = await store?.load();
  const found = bytes
    ? read(bytes, { where: store!.description, identity, start })
    : { rungs: [], unfinished: undefined };
  let { unfinished } = found;
  return {
    rungs: found.rungs,
    takeUnfinished(name) {
      const taken = unfinished?.name === name ? unfinished : undefined;
      unfinished = undefined;
      return taken;
    },
    async save(rungs, now) {
      if (store) await store.save(write(rungs, now, identity));
    },
  };
}

function write(rungs: readonly FinishedRung[], unfinished: Unfinished | undefined, identity: string): Uint8Array {
  const tensors: Record<string, Tensor> = {};
  const state: State = {
    rungs: rungs.map(({ draft, ...rung }) => ({ ...rung, draft: packDraft(draft, tensors) })),
    ...(unfinished && { unfinished: { ...unfinished, draft: packDraft(unfinished.draft, tensors) } }),
  };
  return writeSafetensors(tensors, { identity, state: JSON.stringify(state) });
}

function read(
  bytes: Uint8Array,
  { where, identity, start }: { readonly where: string; readonly identity: string; readonly start: Draft },
): { rungs: readonly FinishedRung[]; unfinished: Unfinished | undefined } {
  const { tensors, metadata } = readSafetensors(bytes, where);
  if (metadata.identity !== identity) {
    throw new OptionError(
      `quantize: the unfinished work in ${where} must be of the same model, options and samples, got that of others. Remove it to begin anew, or use what it was begun with.`,
    );
  }
  const { rungs, unfinished } = JSON.parse(metadata.state!) as State;
  return {
    rungs: rungs.map((rung) => ({ ...rung, draft: unpackDraft(rung.draft, tensors, start) })),
    unfinished: unfinished && { ...unfinished, draft: unpackDraft(unfinished.draft, tensors, start) },
  };
}
