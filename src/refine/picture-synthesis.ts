/** Pictures to calibrate on where there are none, made so that a model's batch normalizations cannot tell them from its data. */
import { fixedBatchSize } from "../data/index.ts";
import { OptionError, UnsupportedError } from "../errors.ts";
import { adam } from "../optim/index.ts";
import type { Program } from "../program/index.ts";
import { type CalibrationData, type Progress, smoothNoise } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { elementCount, float32, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, importOnnx, type Training, trainStep } from "../train/index.ts";
import { knownStatistics } from "./known-statistics.ts";
import { statisticsMismatch } from "./statistics-mismatch.ts";

/** How pictures are synthesized. */
export interface SynthesisOptions {
  /** Computes the model's gradient. */
  readonly runtime: Runtime;
  /** Number of pictures; a few more where they do not divide into equal batches. Default 256. */
  readonly count?: number;
  /** Most pictures that are made together, whose statistics are matched: more match better, and take more memory. Default 32. */
  readonly batch?: number;
  /** Steps of Adam for each batch. Default 100. */
  readonly iterations?: number;
  /** The same seed gives the same pictures. Default 0. */
  readonly seed?: number;
  /**
   * Time of `performance.now()` by which to be done: each batch then gets an equal share of the time that is left, and fewer steps
   * if need be, but at least one. Default: none.
   */
  readonly deadlineMs?: number;
  /** Called as steps are taken. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops between steps, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Pictures that were synthesized, to calibrate on. */
export interface SynthesizedPictures extends CalibrationData {
  readonly count: number;
  /** float32 [count, channels, height, width], as the model takes them: normalized. */
  readonly pictures: Tensor;
  /**
   * How far statistics are from the known ones, mean over batches: the divergence of normal distributions, nats per channel. Before
   * is that of the noise that pictures are made from.
   */
  readonly mismatch: { readonly before: number; readonly after: number };
}

/** Of Adam, at the start; it falls to 0 along a cosine. Numbers in pictures have deviation 1: they can be anything in a few steps. */
const LEARNING_RATE = 0.4;

const PICTURES = "pictures";

/**
 * Makes pictures out of nothing but the model itself, to calibrate a quantization on: noise, changed by gradient descent until mean
 * and variance of the input of every batch normalization are those of the pictures that the model was trained on.
 *
 * Each batch starts from smooth noise and takes steps of Adam down the gradient of its mismatch, through the model. Memory is that
 * of one training step on a batch, and the pictures.
 *
 * @param model Bytes of an .onnx file, or a program that is not changed: of one float32 input [batch, channels, height, width],
 *   where all lengths but the batch's are known, with batch normalizations and their running statistics.
 * @throws UnsupportedError if the model has other inputs, operators without a gradient, or no batch normalizations: in many files
 *   they are folded into convolutions, and what they knew is lost.
 * @throws OptionError if count, batch or iterations are no whole numbers above 0.
 * @throws The signal's reason if it is aborted.
 * @see Cai et al. 2020, "ZeroQ: A Novel Zero Shot Quantization Framework", arXiv:2001.00281, section 3
 * @see Haroush et al. 2019, "The Knowledge Within: Methods for Data-Free Model Compression", arXiv:1912.01274, section 3
 * @example
 * const runtime = await nodeRuntime();
 * const calibration = await synthesizePictures(bytes, { runtime, count: 256 });
 * const { model } = await quantize(bytes, { runtime, weights: 4, calibration });
 */
export async function synthesizePictures(
  model: Program | Uint8Array,
  options: SynthesisOptions,
): Promise<SynthesizedPictures> {
  const { runtime, seed = 0, deadlineMs = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const { count: asked = 256, batch: most = 32, iterations = 100 } = options;
  assertCounts({ count: asked, batch: most, iterations });
  const { program } = importOnnx(model);
  const { name, shape, fed } = pictureInput(program);
  assertKnown(program);
  // A model of fixed batches is given whole ones.
  const count = Math.ceil(asked / fed) * fed;
  const batches = Math.ceil(count / most);
  const together = Math.ceil(count / batches);
  const size = elementCount(shape);
  const made = new Float32Array(count * size);
  const mismatch = { before: 0, after: 0 };
  const clock = new Clock(iterations);
  const training = await compileDescent(program, { shape: [together, ...shape], clock, runtime });
  try {
    const start = await training.variables();
    const random = seededRandom(seed);
    for (let batch = 0; batch < batches; batch++) {
      const noise = float32([together, ...shape], smoothNoise([together, ...shape], random));
      await training.restore({ ...start, [PICTURES]: noise });
      clock.start(deadlineMs, batches - batch);
      let last = Number.NaN;
      for (let step = 0; step === 0 || clock.part(step) < 1; step++) {
        onProgress?.({
          stage: "synthesize",
          done: batch * iterations + step,
          total: batches * iterations,
          unit: "steps",
        });
        const { loss } = await training.run({}, signal ? { signal } : {});
        last = toNumbers(loss!)[0]!;
        if (step === 0) mismatch.before += last / batches;
      }
      mismatch.after += last / batches;
      const { data } = (await training.variables())[PICTURES]!;
      const from = batch * together * size;
      made.set((data as Float32Array).subarray(0, made.length - from), from);
    }
  } finally {
    await training.release();
  }
  onProgress?.({ stage: "synthesize", done: batches * iterations, total: batches * iterations, unit: "steps" });
  return {
    description: `${count} pictures synthesized from batch-norm statistics (seed ${seed})`,
    count,
    pictures: float32([count, ...shape], made),
    mismatch,
    async *batches() {
      for (let from = 0; from < made.length; from += fed * size) {
        yield { [name]: float32([fed, ...shape], made.slice(from, from + fed * size)) };
      }
    },
  };
}

/** How far a batch has come: by its steps, or by its share of the time if that is over sooner. */
class Clock {
  readonly #iterations: number;
  #startMs = 0;
  #shareMs = Number.POSITIVE_INFINITY;

  constructor(iterations: number) {
    this.#iterations = iterations;
  }

  start(deadlineMs: number, batchesLeft: number): void {
    this.#startMs = performance.now();
    this.#shareMs = Math.max(0, deadlineMs - this.#startMs) / batchesLeft;
  }

  /** From 0 to 1. */
  part(steps: number): number {
    const spentMs = performance.now() - this.#startMs;
    return Math.min(1, Math.max(steps / this.#iterations, this.#shareMs > spentMs ? spentMs / this.#shareMs : 1));
  }
}

/** A training whose only parameters are the pictures. */
async function compileDescent(
  program: Program,
  { shape, clock, runtime }: { shape: readonly number[]; clock: Clock; runtime: Runtime },
): Promise<Training> {
  const mismatch = importOnnx(statisticsMismatch(program, shape)).layer({ trainable: () => false });
  const step = trainStep({
    inputs: {},
    loss: (_, scope) =>
      mismatch(
        scope.parameter(PICTURES, shape, (lengths) => new Float64Array(elementCount(lengths))),
        scope,
      ),
    optimizer: adam({ learningRate: (taken) => (LEARNING_RATE * (1 + Math.cos(Math.PI * clock.part(taken)))) / 2 }),
  });
  return compile(step, { runtime });
}

/** The input's name, the shape of one picture, and how many the model takes at once. */
function pictureInput(program: Program): { name: string; shape: readonly number[]; fed: number } {
  const inputs = program.graph.inputs.filter((input) => !input.constant);
  const [input] = inputs;
  const sizes = input?.shape?.slice(1);
  const shape = sizes?.filter((length) => typeof length === "number");
  if (inputs.length === 1 && input?.dtype === "float32" && shape?.length === 3 && sizes?.length === 3) {
    return { name: input.name, shape, fed: fixedBatchSize([input]) ?? 1 };
  }
  const came = inputs
    .map(({ name, dtype, shape: axes }) => `${name} ${dtype} [${axes?.join(", ") ?? "..."}]`)
    .join(", ");
  throw new UnsupportedError(
    "synthesizePictures: the model must have one float32 input [batch, channels, height, width] whose lengths but the batch are " +
      `numbers, got ${came}. Give calibration data.`,
  );
}

function assertKnown(program: Program): void {
  if (knownStatistics(program).length > 0) return;
  throw new UnsupportedError(
    "synthesizePictures: the model must have batch normalizations with running statistics, got none: nothing else says what its " +
      "pictures were like. If they were folded into convolutions, export the model without that (in PyTorch, model.eval() and " +
      "torch.onnx.export with training=TrainingMode.PRESERVE); otherwise give calibration data.",
  );
}

function assertCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new OptionError(`synthesizePictures: ${name} must be a whole number above 0, got ${value}.`);
  }
}
