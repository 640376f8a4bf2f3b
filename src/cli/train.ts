/** The work of `modicum train`: everything is checked first, then trained, with checkpoints on the way. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TrainingData } from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import { createRun, describeRun, openRecipeData, openRun, type RunFolder } from "../files/index.ts";
import {
  type Checkpoint,
  type EvaluationResult,
  type FitResult,
  fineTuning,
  fit,
  type HeadSavings,
  headSavings,
  planTraining,
  type Recipe,
  type RecipeInput,
  recipeDifferences,
} from "../fit/index.ts";
import type { Device, Runtime } from "../runtime/index.ts";
import { exportOnnx } from "../train/index.ts";
import { type CommandContext, printResult } from "./command.ts";
import type { TrainOptions } from "./commands/train.ts";
import { importedModelOf, withModelFile } from "./fine-tune.ts";
import { Interrupted } from "./interrupt.ts";
import { precisionText } from "./precision-text.ts";
import { changedRecipe, type RecipeFlags, writtenRecipe } from "./recipe-flags.ts";
import { chooseRuntime } from "./runtime-choice.ts";
import { createTrainingDisplay, formatDuration, standardError } from "./training-display.ts";

/** How long a step and a checkpoint may take after Ctrl-C, milliseconds. */
const GRACE_MS = 120_000;

/** Options, and whether the device was said or is the default. */
type StatedOptions = TrainOptions & { readonly isDeviceStated: boolean };

/** A run that is about to take steps. */
interface ReadyRun {
  readonly run: RunFolder;
  readonly recipe: Recipe;
  readonly data: TrainingData;
  readonly runtime: Runtime;
  readonly resume?: Checkpoint;
}

/** Starts a run, or goes on with one, as the options say. */
export async function train(
  nameOrFile: string | undefined,
  options: StatedOptions,
  context: CommandContext,
): Promise<void> {
  const ready =
    options.resume === undefined
      ? await start(nameOrFile, options)
      : await resume(options.resume, nameOrFile, options, context);
  try {
    await takeSteps(ready, options, context);
  } finally {
    await ready.run.close();
  }
}

async function start(nameOrFile: string | undefined, options: StatedOptions): Promise<ReadyRun> {
  const { finetune } = options;
  if (nameOrFile === undefined && finetune === undefined) {
    throw new OptionError("train: a recipe must be given, or --finetune, or --resume, got none of them.");
  }
  const training = nameOrFile === undefined ? fineTuning : await writtenRecipe(nameOrFile);
  const written = finetune === undefined ? training : { ...training, model: { onnx: finetune } };
  const recipe = await withModelFile(changedRecipe(written as RecipeInput, options, nameOrFile ?? "train"));
  if (options.data === undefined && !recipe.data.set.includes(":") && recipe.data.set !== "example") {
    throw new OptionError(
      `train: --data must say where the data are, such as --data ${recipe.data.set}:path/to/it, got none.`,
    );
  }
  const runtime = await chooseRuntime(options);
  const data = await openRecipeData(recipe);
  assertClasses(data, options);
  const path = options.output ?? freeFolder(nameOrFile ?? "fine-tuned");
  // Before the folder is made: what does not fit leaves nothing behind.
  planTraining(recipe, data, { importedModel: await importedModelOf(recipe) });
  await assertRuns(runtime);
  return { run: await createRun(path, await describeRun(recipe, data, runtime)), recipe, data, runtime };
}

/** @throws RuntimeFailure unless the device, whose libraries are loaded with the first model, runs one. */
async function assertRuns(runtime: Runtime): Promise<void> {
  const model = exportOnnx({
    inputs: { x: { shape: [1] } },
    outputs: ({ x }, { ops }) => ops.add(x!, 1),
    variables: {},
  });
  await (await runtime.createSession(model)).release();
}

function assertClasses({ classes, name }: TrainingData, options: TrainOptions): void {
  if (options.classes === undefined || options.classes === classes) return;
  throw new OptionError(
    `train: --classes must be the number of classes of ${name}, ${classes}, got ${options.classes}.`,
  );
}

/** `runs/resnet20-1`, or the first number that is free. */
function freeFolder(nameOrFile: string): string {
  const name = nameOrFile.replace(/^.*[/\\]/, "").replace(/\.json$/i, "");
  let number = 1;
  while (existsSync(join("runs", `${name}-${number}`))) number++;
  return join("runs", `${name}-${number}`);
}

async function resume(
  path: string,
  nameOrFile: string | undefined,
  options: StatedOptions,
  context: CommandContext,
): Promise<ReadyRun> {
  for (const option of ["output", "finetune"] as const) {
    if (options[option] !== undefined) {
      throw new OptionError(`train: --resume must be without --${option}, got ${options[option]}.`);
    }
  }
  const run = await openRun(path);
  try {
    const { description } = run;
    const recipe = await resumedRecipe(run, nameOrFile, options);
    const device = options.isDeviceStated ? options.device : (description.device as Device);
    if (device !== description.device) {
      remark(context, options, `on ${device} results are not bit for bit those of ${description.device}.`);
    }
    const runtime = await chooseRuntime({ ...options, device: device! });
    if (runtime.description !== description.onnxruntime) {
      remark(context, options, `with ${runtime.description} they are not those of ${description.onnxruntime}.`);
    }
    const data = await openRecipeData(recipe);
    assertClasses(data, options);
    if (data.fingerprint !== description.dataFingerprint) {
      throw new DataError(
        `${recipe.data.set}: must be the data that ${path} was started with (${description.dataDescription}), got others.`,
      );
    }
    const found = await run.latestCheckpoint();
    for (const one of found?.remarks ?? []) remark(context, options, one);
    await run.rewindTo(found?.checkpoint.progress.step ?? 0);
    return { run, recipe, data, runtime, ...(found && { resume: found.checkpoint }) };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/**
 * The recipe of the run. Data may have moved; anything else that is stated must be as it was.
 *
 * @throws OptionError naming the keys that differ.
 */
async function resumedRecipe(
  { path, description }: RunFolder,
  nameOrFile: string | undefined,
  flags: RecipeFlags,
): Promise<Recipe> {
  const stored = description.recipe;
  const base = nameOrFile === undefined ? stored : await writtenRecipe(nameOrFile);
  // Data that are not stated are where they were.
  const written = nameOrFile === undefined || flags.data !== undefined ? base : moved(base, stored.data.set);
  const wanted = await withModelFile(changedRecipe(written, flags, nameOrFile ?? path));
  const changes = recipeDifferences(stored, wanted).filter(({ key }) => key !== "data.set");
  if (changes.length === 0) return { ...stored, data: { ...stored.data, set: wanted.data.set } };
  const shown = changes.map(
    ({ key, before, after }) =>
      `${key} ${JSON.stringify(after) ?? "nothing"} instead of ${JSON.stringify(before) ?? "nothing"}`,
  );
  throw new OptionError(
    `${path}: a run must go on with its own recipe, got another: ${shown.join("; ")}. Leave these out, or start a new run.`,
  );
}

function moved(recipe: RecipeInput, set: string): RecipeInput {
  return { ...recipe, data: { ...recipe.data, set } };
}

function remark({ stderr }: CommandContext, { quiet }: TrainOptions, text: string): void {
  if (!quiet) stderr.write(`remark: ${text}\n`);
}

async function takeSteps(
  { run, recipe, data, runtime, resume }: ReadyRun,
  options: TrainOptions,
  context: CommandContext,
): Promise<void> {
  context.allowGrace(GRACE_MS);
  const importedModel = await importedModelOf(recipe);
  const plan = planTraining(recipe, data, { importedModel });
  const head = headSavings(recipe, data, plan, { importedModel });
  if (head && !options.quiet) context.stderr.write(`${describeSavings(head)}\n`);
  const precision = precisionText(plan.step);
  if (precision && !options.quiet) context.stderr.write(`precision: ${precision}\n`);
  const display = await createTrainingDisplay(context.stderr, plan, options);
  let step = resume?.progress.step ?? 0;
  let result: FitResult;
  try {
    // biome-ignore lint/suspicious/noFocusedTests: this trains.
    result = await fit(plan, {
      runtime,
      signal: context.signal,
      checkpointEverySeconds: options.checkpointEvery,
      onEvent: async (event) => {
        step = event.step;
        await run.onEvent(event);
        display.onEvent(event);
      },
      saveCheckpoint: (checkpoint, kind) => run.saveCheckpoint(checkpoint, kind),
      ...(resume && { resume }),
      ...(options.timeBudget !== undefined && { timeBudgetSeconds: options.timeBudget }),
    });
  } finally {
    display.stop();
  }
  const { final } = result;
  if (final === null) {
    throw new Interrupted(
      `interrupted after step ${step} of ${plan.totalSteps}. Go on with \`modicum train --resume ${run.path}\`.`,
    );
  }
  const split = plan.parts[0]!.split;
  printResult(context, options, {
    json: () => record(run.path, result, final, head),
    text: () => summary(run.path, result, final, split),
  });
}

/** What `--json` prints. */
function record(
  run: string,
  { seconds, best }: FitResult,
  final: EvaluationResult,
  headSavings: HeadSavings | undefined,
): unknown {
  return {
    run,
    seconds,
    final: { loss: final.loss, top1: final.top1 },
    best: best && { epoch: best.epoch, top1: best.top1 },
    headSavings: headSavings ?? null,
  };
}

/** The line that a run with a fixed head begins with. */
function describeSavings(savings: HeadSavings): string {
  const { kind, features, classes, parameters, headBytes, optimizerBytes } = savings;
  const counted = (count: number, unit: string): string => `${count.toLocaleString("en")} ${unit}`;
  const saved = [
    counted(parameters, "parameters"),
    counted(headBytes, "bytes of its matrix in a file"),
    counted(optimizerBytes, "bytes of the optimizer's slots"),
    counted(savings.weightGradientMultiplyAdds, "multiply-adds of its gradient in a step"),
    ...(savings.multiplyAdds > 0 ? [counted(savings.multiplyAdds, "operations of its product for a sample")] : []),
  ];
  return `fixed head (${kind}, ${features} x ${classes}) saves ${saved.join(", ")}.`;
}

const ENDS: Readonly<Record<FitResult["reason"], string>> = {
  completed: "completed",
  "early stopping": "stopped early",
  "time budget": "stopped at its time budget",
  interrupted: "interrupted",
};

function summary(run: string, { reason, seconds, best }: FitResult, final: EvaluationResult, split: string): string {
  const accuracy = `${split} top-1 ${final.top1.toFixed(2)} ± ${standardError(final).toFixed(2)} %, loss ${final.loss.toFixed(4)}`;
  const most = best ? `; best ${best.top1.toFixed(2)} % in epoch ${Number(best.epoch.toFixed(2))}` : "";
  const goOn = reason === "time budget" ? `\nGo on with \`modicum train --resume ${run}\`.` : "";
  return `${run}: ${ENDS[reason]} in ${formatDuration(seconds)}, ${accuracy}${most}.${goOn}`;
}
