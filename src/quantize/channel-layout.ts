/** Where the channels of a tensor lie in its row-major array. */
import { ShapeError } from "../errors.ts";

/** A tensor seen as [outer, channels, inner]: element (o, c, i) is at `(o * channels + c) * inner + i`. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * Returns the layout of the channels along one axis.
 *
 * @param shape Shape of the tensor, e.g. [outputs, inputs, height, width].
 * @param axis The channel axis; negative counts from the end. Convolution weights 0, activations 1.
 * @throws ShapeError if the shape has no such axis.
 */
export function channelLayout(shape: readonly number[], axis: number): ChannelLayout {
  const at = axis < 0 ? axis + shape.length : axis;
  const channels = shape[at];
  if (channels === undefined) {
    throw new ShapeError(`channelLayout: axis must be one of the axes of [${shape.join(", ")}], got ${axis}.`);
  }
  const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);
  return { outer: product(shape.slice(0, at)), channels, inner: product(shape.slice(at + 1)) };
}

/** Throws a ShapeError unless an array holds exactly the elements of a layout. */
export function assertLayout(length: number, layout: ChannelLayout, where: string): void {
  const expected = layout.outer * layout.channels * layout.inner;
  if (length !== expected) {
    throw new ShapeError(`${where}: the array must hold the ${expected} elements of its shape, got ${length}.`);
  }
}

/** Copies the elements of one channel into `into` (outer * inner long) and returns it. */
export function gatherChannel(
  values: Float32Array,
  layout: ChannelLayout,
  channel: number,
  into: Float32Array,
): Float32Array {
  const { outer, channels, inner } = layout;
  let to = 0;
  for (let o = 0; o < outer; o++) {
    const start = (o * channels + channel) * inner;
    for (let i = start; i < start + inner; i++) into[to++] = values[i]!;
  }
  return into;
}
