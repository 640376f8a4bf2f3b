/** Batch normalization: one layer, whose deviation, constant, ghost batches and statistics are chosen one by one. */
import type { Initializer, Layer, Scope } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel, shownShape } from "./check-input.ts";
import type { ConstantKind, Deviation } from "./deviations/deviation.ts";
import { type DeviationChoice, deviationOf } from "./deviations/deviation-of.ts";
import { GhostBatches } from "./ghost-batches.ts";
import { ones, zeros } from "./initializers.ts";
import { normalizeBatch, normalizeByVariance } from "./normalize-batch.ts";
import { KEPT_NAMES, type KeptDeviation, keptOf, squareOf, startOf, updateRunning } from "./running-statistics.ts";

/** How a batch norm is made. */
export interface BatchNormOptions {
  /** What centered numbers are divided by. Default "l2", the standard deviation. */
  readonly deviation?: DeviationChoice;
  /**
   * What the deviation is multiplied by: `"exact"`, so that normal numbers come out with standard deviation 1; `"reference"`, as
   * the published code has it; `"paper"`, as the range's paper has it; or a number. Default "exact".
   */
  readonly constant?: ConstantKind | number;
  /**
   * Examples in a ghost batch, the part of a batch that is normalized by its own statistics. What is left when it does not divide
   * the batch goes into the last one; a batch of less than two of them is one. Default: the whole batch.
   */
  readonly ghost?: number;
  /** What is kept of the deviation for use: its square, itself, or 1 divided by it. Default "variance". */
  readonly running?: KeptDeviation;
  /** Share of the new batch in the running statistics. Default 0.1. ONNX's `momentum` is the share of the old ones. */
  readonly momentum?: number;
  /** Added to the variance, the mean of |x - mean|^p, or else to the deviation itself. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the result is scaled and shifted by parameters; shifted only without a deviation. Default true. */
  readonly affine?: boolean;
  /** What parameters and running statistics start from. Default: weight and variance 1, bias and mean 0. */
  readonly start?: {
    readonly weight?: Initializer | Tensor;
    readonly bias?: Initializer | Tensor;
    readonly mean?: Initializer | Tensor;
    /** Divided by n - 1, and without epsilon. */
    readonly variance?: Tensor;
  };
}

/**
 * Normalizes each channel over batch and places, then scales and shifts it.
 *
 *   y = (x - mean) / d weight + bias, where d = sqrt(variance + epsilon) or what `deviation` says
 *
 * While training, mean and d are those of the batch, or of each ghost batch; of the variance that is kept, divided by n - 1
 * where the one that normalizes is divided by n. Otherwise they are the running ones, and the layer is an affine map of each
 * channel whatever the deviation: exported, it folds into the layer before. Constant channels become `bias`.
 *
 * Shapes: x [batch, channels, ...spatial] -> y as x; `weight`, `bias`, `runningMean`, `runningVariance` [channels]:
 * torch.nn.BatchNorm1d to 3d.
 *
 * @throws OptionError if a deviation is unknown, or has no constant of the kind.
 * @throws ShapeError when built, if x has fewer than two axes, or while training too few numbers per channel: 2, or twice the
 * largest ones that are taken, in each chunk of a range.
 * @see Ioffe, Szegedy 2015, "Batch Normalization", arXiv:1502.03167
 * @see Hoffer et al. 2018, "Norm matters", arXiv:1803.01814, section 3 (deviations)
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 3 (ghost batches)
 * @see Salimans, Kingma 2016, "Weight Normalization", arXiv:1602.07868, section 3.2 (the mean only)
 * @example
 * nn.sequential([nn.conv({ channels: 16, kernel: 3, bias: false }), nn.batchNorm(), nn.relu()]);
 * nn.batchNorm({ deviation: "l1", ghost: 32 });
 */
export function batchNorm(options: BatchNormOptions = {}): Layer {
  const { deviation: choice = "l2", constant = "exact", ghost, affine = true, start = {} } = options;
  const { running = "variance", momentum = 0.1, epsilon = 1e-5 } = options;
  const deviation = deviationOf(choice);
  if (deviation) constantOf(deviation, constant, 2 * deviation.least);
  if (ghost !== undefined) assertCount(ghost, "ghost", "batchNorm");
  return (x, scope) => {
    const { ops } = scope;
    const label = layerLabel("batchNorm", scope);
    assertLeastRank(x, 2, "[batch, channels, ...spatial]", label);
    const channels = [knownLength(x, 1, "channels", label)];
    const weight =
      affine && deviation
        ? scope.parameter("weight", channels, start.weight ?? ones())
        : ops.full(channels, 1, x.dtype);
    const bias = affine ? scope.parameter("bias", channels, start.bias ?? zeros()) : ops.full(channels, 0, x.dtype);
    const mean = scope.statistic("runningMean", channels, start.mean ?? zeros());
    if (!deviation) return centered(x, { scope, label, bias, mean, momentum, ghost });
    const isVariance = deviation.name === "l2" && running === "variance";
    const { variance } = start;
    const first = variance && startOf(variance, running, isVariance ? 0 : epsilon);
    const kept = scope.statistic(KEPT_NAMES[running], channels, first ?? ones());
    if (!scope.training) {
      const inputs = [x, weight, bias, mean, squareOf(kept, running, scope)];
      return ops.emit("BatchNormalization", inputs, { epsilon: { float: isVariance ? epsilon : 0 } });
    }
    const parts = ghostBatches(x, { scope, label, ghost, deviation }).map(({ batches, part }) => {
      const { count } = batches;
      const c = constantOf(deviation, constant, count);
      const isPlain = deviation.name === "l2" && c === 1 && batches.groups === 1;
      const normalized = isPlain
        ? normalizeByVariance(ops, part, { weight, bias, epsilon })
        : normalizeBatch(batches, [part, weight, bias], { deviation, c, epsilon });
      const d = () => deviation.denominator(normalized.statistic, c, epsilon, batches);
      return {
        ...normalized,
        // The variance that normalizes is divided by n, the one that is kept by n - 1.
        kept: isVariance ? ops.mul(normalized.statistic, (c * c * count) / (count - 1)) : keptOf(d(), running, scope),
      };
    });
    const joined = (values: readonly Value[]) => (values.length === 1 ? values[0]! : ops.concat(values, 0));
    updateRunning(scope, "runningMean", mean, joined(parts.map((part) => part.mean)), momentum);
    updateRunning(scope, KEPT_NAMES[running], kept, joined(parts.map((part) => part.kept)), momentum);
    return joined(parts.map(({ y }) => y));
  };
}

/** @throws OptionError if the deviation has no constant of the kind, or it is no positive number. */
function constantOf(deviation: Deviation, constant: ConstantKind | number, count: number): number {
  if (typeof constant !== "number") {
    const known = deviation.constant(count, constant);
    if (known !== undefined) return known;
    throw new OptionError(
      `batchNorm: constant must be "exact", "reference" or a number with the deviation ${deviation.name}, ` +
        `got ${JSON.stringify(constant)}.`,
    );
  }
  if (constant > 0 && constant < Number.POSITIVE_INFINITY) return constant;
  throw new OptionError(`batchNorm: constant must be a number above 0, got ${constant}.`);
}

interface GhostSettings {
  readonly scope: Scope;
  readonly label: string;
  readonly ghost: number | undefined;
  readonly deviation: Deviation | undefined;
}

interface Part {
  readonly batches: GhostBatches;
  readonly part: Value;
}

/** All ghost batches but the last as one part where the last is larger, and as one part where it is not. */
function ghostBatches(x: Value, settings: GhostSettings): readonly Part[] {
  const { scope, ghost } = settings;
  const { ops } = scope;
  const shape = ops.shapeOf(x);
  const batch = shape[0]!;
  const size = ghost ?? batch;
  const groups = Math.max(1, Math.floor(batch / size));
  const isEven = batch === groups * size || groups === 1;
  const lengths = isEven ? [batch] : [(groups - 1) * size, batch - (groups - 1) * size];
  const parts = isEven ? [x] : ops.split(x, 0, lengths);
  return parts.map((part, index) => {
    const batches = new GhostBatches(
      ops,
      [lengths[index]!, ...shape.slice(1)],
      isEven ? groups : index === 0 ? groups - 1 : 1,
    );
    assertEnough(batches, x, settings);
    return { batches, part };
  });
}

/** @throws ShapeError if a ghost batch has too few numbers per channel, or does not fall into chunks. */
function assertEnough(batches: GhostBatches, x: Value, { label, ghost, deviation }: GhostSettings): void {
  const { least = 2, chunks = 1, name = "none" } = deviation ?? {};
  const what = ghost === undefined ? "a batch" : "a ghost batch";
  if (batches.samples % chunks !== 0) {
    throw new ShapeError(
      `${label}: the examples of ${what} must fall into ${chunks} equal chunks for the range, got ${batches.samples} ` +
        `of ${shownShape(x)}. Take a number of chunks that divides them.`,
    );
  }
  if (batches.count >= least) return;
  const wanted = least === 2 ? "more than one number" : `at least ${least} numbers`;
  const reason = least === 2 ? "" : ` for the deviation ${name}`;
  const came = ghost === undefined ? shownShape(x) : `${batches.count} of ${shownShape(x)} with ghost ${ghost}`;
  throw new ShapeError(
    `${label}: ${what} must have ${wanted} per channel${reason}, got ${came}. ` +
      "Take larger batches, or another normalization.",
  );
}

interface CenterSettings {
  readonly scope: Scope;
  readonly label: string;
  readonly bias: Value;
  readonly mean: Value;
  readonly momentum: number;
  readonly ghost: number | undefined;
}

/** y = x - mean + bias */
function centered(x: Value, { scope, label, bias, mean, momentum, ghost }: CenterSettings): Value {
  const { ops } = scope;
  if (!scope.training) {
    return ops.add(x, ops.reshape(ops.sub(bias, mean), [-1, ...x.shape!.slice(2).map(() => 1)]));
  }
  const parts = ghostBatches(x, { scope, label, ghost, deviation: undefined }).map(({ batches, part }) => {
    const view = batches.view(part);
    const means = batches.mean(view);
    return { means, y: batches.restore(ops.add(view, batches.spread(ops.sub(bias, means)))) };
  });
  const joined = (values: readonly Value[]) => (values.length === 1 ? values[0]! : ops.concat(values, 0));
  updateRunning(scope, "runningMean", mean, joined(parts.map(({ means }) => means)), momentum);
  return joined(parts.map(({ y }) => y));
}
