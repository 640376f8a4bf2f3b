/** Folders of training runs: descriptions, events, checkpoints, locks. */
export type { FoundCheckpoint } from "./checkpoint-folder.ts";
export { findRuns } from "./find-runs.ts";
export type { RunDescription } from "./run-description.ts";
export { createRun, isRun, openRun, type RunFolder, type RunRecord, readRun } from "./run-folder.ts";
export type { LockHolder } from "./run-lock.ts";
