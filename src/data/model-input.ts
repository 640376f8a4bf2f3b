/** What a model takes in, as far as data need to know it. */
import type { DType } from "../tensor/index.ts";

/** One input of a model. A `Value` of a program's graph inputs fits as it is, once its element type is known. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: DType | undefined;
  /** Axis lengths, the first one the batch; a name or null where unknown. Undefined when even the rank is unknown. */
  readonly shape: readonly (number | string | null)[] | undefined;
}

/** Returns an input as messages show it: `input float32 [N, 3, 224, 224]`. */
export function describeInput(input: ModelInput): string {
  const shape = input.shape?.map((length) => length ?? "?").join(", ") ?? "...";
  return `${input.name} ${input.dtype ?? "of unknown type"} [${shape}]`;
}

/** Returns the batch size that every one of the inputs demands, or undefined when the batch axis is free. */
export function fixedBatchSize(inputs: readonly ModelInput[]): number | undefined {
  for (const { shape } of inputs) {
    const length = shape?.[0];
    if (typeof length === "number" && length > 0) return length;
  }
  return undefined;
}

/** How a model takes pictures; lengths are null where the model leaves them open. */
export interface PictureInput {
  readonly layout: "nchw" | "nhwc";
  readonly channels: number | null;
  readonly height: number | null;
  readonly width: number | null;
}

/**
 * Returns how an input takes pictures: rank 4 in either layout, rank 3 for gray pictures without a channel axis.
 * Undefined when the input takes no pictures by its shape (flat vectors among them).
 */
export function pictureInputOf(input: ModelInput): PictureInput | undefined {
  const axes = input.shape?.map((length) => (typeof length === "number" && length > 0 ? length : null));
  if (axes?.length === 3) return { layout: "nchw", channels: 1, height: axes[1]!, width: axes[2]! };
  if (axes?.length !== 4) return undefined;
  const [, second, third, fourth] = axes as (number | null)[] as [unknown, number | null, number | null, number | null];
  const isChannels = (length: number | null): boolean => length === 1 || length === 3;
  if (!isChannels(second) && isChannels(fourth)) {
    return { layout: "nhwc", channels: fourth, height: second, width: third };
  }
  return { layout: "nchw", channels: second, height: third, width: fourth };
}
