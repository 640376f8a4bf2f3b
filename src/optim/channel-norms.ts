/** Norms of the output channels of weights: recorded by one run, used by another. */
import type { Operand, Ops, OptimizerContext, Variable } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { elementCount, tensorOf } from "../tensor/index.ts";

/** Squares of norms up to this count as 0. */
const FLOOR = 1e-24;

/**
 * Euclidean norms of the output channels (first axis) of weights at the end of each pass over the training data. JSON;
 * `channelNormsOf` makes it of what the probe `channelNorms` reported.
 */
export interface ChannelNorms {
  /** Steps in each pass of the run that is to follow the record. */
  readonly stepsPerEpoch: number;
  /** By path of the weight: a row for each pass, with a norm for each channel. */
  readonly norms: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** Returns the sum of squares of each channel. Shapes: [channels, ...] -> [channels, 1, ...]. */
export function channelSquares(ops: Ops, w: Value): Value {
  const axes = ops.shapeOf(w).map((_, axis) => axis);
  return ops.reduceSum(ops.square(w), { axes: axes.slice(1) });
}

/** Returns the channels of w scaled to have these norms. A channel of zeros stays as it is. */
export function rescaledChannels(ops: Ops, w: Value, norms: Operand): Value {
  const norm = ops.sqrt(ops.max(channelSquares(ops, w), FLOOR));
  return ops.mul(w, ops.div(norms, norm));
}

/**
 * Returns a function that gives numbers made of the norms recorded for a parameter in the pass of the current step, [channels,
 * 1, ...]; undefined for parameters without a record. Passes after the last have the last one's.
 *
 * @param numberOf What is made of each norm.
 * @throws OptionError if the record is empty, or has paths that are not trained here.
 * @throws ShapeError if a row has another number of norms than the parameter has channels.
 */
export function recordedNorms(
  context: OptimizerContext,
  { stepsPerEpoch, norms }: ChannelNorms,
  {
    optimizer,
    numberOf = (norm) => norm,
  }: { readonly optimizer: string; readonly numberOf?: (norm: number) => number },
): (parameter: Variable) => Value | undefined {
  const { ops, parameters } = context;
  const paths = parameters.map(({ path }) => path);
  const unknown = Object.keys(norms).find((path) => !paths.includes(path));
  if (unknown !== undefined || Object.keys(norms).length === 0 || !(stepsPerEpoch >= 1)) {
    const came =
      unknown === undefined ? `${Object.keys(norms).length} paths and ${stepsPerEpoch} steps` : `"${unknown}"`;
    throw new OptionError(
      `${optimizer}: norms must be of trained parameters, with steps in each pass, got ${came}. Parameters: ${paths.join(", ")}.`,
    );
  }
  const epoch = ops.floor(ops.div(context.step, stepsPerEpoch));
  return ({ path, shape, dtype }) => {
    const rows = norms[path];
    if (!rows) return undefined;
    const wrong = rows.find((row) => row.length !== shape[0]);
    if (wrong || rows.length === 0 || shape.length < 2) {
      throw new ShapeError(
        `${optimizer}: norms of "${path}" [${shape.join(", ")}] must have a row for each pass and a norm for each output channel, ` +
          `got ${rows.length} rows${wrong ? `, one of ${wrong.length}` : ""}.`,
      );
    }
    const each = [shape[0]!, ...shape.slice(1).map(() => 1)];
    const table = ops.constant(
      tensorOf(
        dtype,
        [rows.length, ...each],
        rows.flatMap((row) => row.map(numberOf)),
      ),
    );
    return ops.gather(table, ops.cast(ops.min(epoch, rows.length - 1), "int64"), 0);
  };
}

/** @throws OptionError unless the parameter has output channels with more than one number each. */
export function assertChannels({ path, shape }: Variable, optimizer: string): void {
  if (shape.length >= 2 && elementCount(shape.slice(1)) > 1) return;
  throw new OptionError(
    `${optimizer}: parameters must have output channels of several numbers, got "${path}" [${shape.join(", ")}]. Match weights only.`,
  );
}
