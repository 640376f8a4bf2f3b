/** Runs experiments: unit by unit, each stored when it is finished, so that stopping costs at most the unit at work. */
import { join, resolve } from "node:path";
import { OptionError } from "../errors.ts";
import { makeFolder, writeFileAtomically } from "../files/index.ts";
import { MODICUM_VERSION } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { designHash } from "./design-hash.ts";
import type { Experiment, Lab, LocalData, Results, Scale, Unit } from "./experiment.ts";
import { secondsLeft } from "./remaining-time.ts";
import { readUnit, type StoredUnit, writeUnit } from "./unit-store.ts";

/** What a run is asked for. */
export interface RunExperimentOptions {
  readonly scale: Scale;
  /** Seeds 1, 2, ... up to this number instead of the scale's. */
  readonly seeds?: number | undefined;
  /** The data sets of the scale, by name. */
  readonly data: Readonly<Record<string, LocalData>>;
  /** Folder of results and trained networks of all experiments. */
  readonly work: string;
  readonly runtime: Runtime;
  /** Stops the run; what is finished stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExperimentProgress) => void) | undefined;
}

/** Where a run is. */
export interface ExperimentProgress {
  readonly seed: number;
  /** Key of the unit at work. */
  readonly unit: string;
  /** Its number, from 1, among all. */
  readonly number: number;
  readonly count: number;
  /** Share of the unit that is done. */
  readonly fraction: number;
  /** What the unit says of itself. */
  readonly text: string;
  readonly secondsLeft: number;
}

/** A finished run. All of it is JSON. */
export interface ExperimentRun {
  readonly experiment: string;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly design: unknown;
  readonly hash: string;
  /** Seconds of all units, those of earlier sittings too. */
  readonly seconds: number;
  readonly units: readonly (StoredUnit & { readonly seed: number })[];
  readonly environment: Environment;
}

/** What the numbers were made with. */
export interface Environment {
  readonly modicum: string;
  readonly runtime: string;
  readonly node: string;
  /** Fingerprints of the data sets by name. */
  readonly data: Readonly<Record<string, string>>;
}

/** A unit of a seed, with what is stored of it. */
interface Task {
  readonly seed: number;
  readonly unit: Unit<unknown>;
  readonly folder: string;
  stored: StoredUnit | undefined;
}

/**
 * Runs an experiment, or what is left of it. Results lie in `work/ID/SCALE-HASH/seed-N/`; the hash is of design, data and
 * versions, so that results of different designs are never mixed.
 *
 * @throws OptionError if a data set is missing. The signal's reason when it is aborted. Whatever a unit throws.
 */
export async function runExperiment(experiment: Experiment, options: RunExperimentOptions): Promise<ExperimentRun> {
  const { scale, data, runtime, work, signal = new AbortController().signal } = options;
  const plan = experiment.scales[scale];
  assertData(experiment.id, plan.data, data);
  const environment: Environment = {
    modicum: MODICUM_VERSION,
    runtime: runtime.description,
    node: process.versions.node,
    data: Object.fromEntries(plan.data.map((name) => [name, data[name]!.data.fingerprint])),
  };
  const identity = describeIdentity(experiment, plan.design, environment);
  const hash = designHash(identity);
  const folder = resolve(work, experiment.id, `${scale}-${hash}`);
  await makeFolder(folder);
  await writeFileAtomically(join(folder, "design.json"), `${JSON.stringify(identity, null, 2)}\n`);

  const seeds = Array.from({ length: options.seeds ?? plan.seeds }, (_, i) => i + 1);
  const tasks = await listTasks(experiment, plan.design, seeds, folder);
  for (const [index, task] of tasks.entries()) {
    if (task.stored) continue;
    signal.throwIfAborted();
    await runTask(tasks, index, { ...options, signal });
  }
  signal.throwIfAborted();
  return {
    experiment: experiment.id,
    scale,
    seeds,
    design: plan.design,
    hash,
    seconds: tasks.reduce((sum, { stored }) => sum + stored!.seconds, 0),
    units: tasks.map(({ seed, stored }) => ({ seed, ...stored! })),
    environment,
  };
}

/** Returns the results of a run, by key. */
export function resultsOf({ seeds, units }: Pick<ExperimentRun, "seeds" | "units">): Results<unknown> {
  return {
    seeds,
    of: (key) => {
      const found = units.filter((unit) => unit.key === key).map(({ result }) => result);
      if (found.length === 0) throw new Error(`internal: no unit is called "${key}".`);
      return found;
    },
  };
}

/** What the results depend on: the Node version is left out, since it computes nothing that counts. */
function describeIdentity({ id, version }: Experiment, design: unknown, { modicum, runtime, data }: Environment) {
  return { experiment: id, version, design, modicum, runtime, data };
}

async function listTasks(
  experiment: Experiment,
  design: unknown,
  seeds: readonly number[],
  folder: string,
): Promise<Task[]> {
  const tasks: Task[] = [];
  for (const seed of seeds) {
    const seedFolder = join(folder, `seed-${seed}`);
    const keys = new Set<string>();
    for (const unit of experiment.units(design, seed)) {
      if (keys.has(unit.key)) throw new Error(`internal: ${experiment.id} has two units "${unit.key}".`);
      keys.add(unit.key);
      tasks.push({ seed, unit, folder: seedFolder, stored: await readUnit(seedFolder, unit.key) });
    }
  }
  return tasks;
}

async function runTask(
  tasks: readonly Task[],
  index: number,
  { data, runtime, signal, onProgress }: RunExperimentOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const task = tasks[index]!;
  const { seed, unit, folder } = task;
  const started = performance.now();
  let before = 0;
  const taken = () => before + (performance.now() - started) / 1000;
  const others = tasks.filter((other) => other !== task);
  const done = others.filter(({ stored }) => stored);
  const sum = (list: readonly Task[], of: (other: Task) => number) =>
    list.reduce((total, other) => total + of(other), 0);
  const progress = (fraction: number, text = "") =>
    onProgress?.({
      seed,
      unit: unit.key,
      number: index + 1,
      count: tasks.length,
      fraction,
      text,
      secondsLeft: secondsLeft(
        { expected: sum(done, (other) => other.unit.seconds), taken: sum(done, ({ stored }) => stored!.seconds) },
        { expected: unit.seconds, taken: taken(), fraction },
        sum(others, (other) => (other.stored ? 0 : other.unit.seconds)),
      ),
    });
  const lab: Lab = {
    seed,
    runtime,
    signal,
    folder,
    dataSet: (name) => data[name]!,
    result: (key) => {
      const earlier = tasks.find((other) => other.seed === seed && other.unit.key === key)?.stored;
      if (!earlier) throw new Error(`internal: "${unit.key}" needs the result of "${key}", which must come before it.`);
      return earlier.result;
    },
    progress,
    spentBefore: (seconds) => {
      before += seconds;
    },
  };
  await makeFolder(folder);
  progress(0);
  const result = await unit.run(lab);
  // What goes on is what a resumed run would read: numbers JSON cannot hold show at once.
  const stored: StoredUnit = JSON.parse(JSON.stringify({ key: unit.key, seconds: taken(), result }));
  await writeUnit(folder, stored);
  task.stored = stored;
  progress(1);
}

function assertData(id: string, names: readonly string[], data: Readonly<Record<string, LocalData>>): void {
  const missing = names.filter((name) => !Object.hasOwn(data, name));
  if (missing.length === 0) return;
  const flags = missing.map((name) => `--data ${name}:PATH`).join(" ");
  throw new OptionError(
    `${id}: the data sets ${names.join(", ")} must be there, got none for ${missing.join(", ")}. ` +
      `Say where they are: ${flags}; \`modicum data\` tells where to get them.`,
  );
}
