/** Transposed convolutions as convolutions: which tap reaches which element. */

/** Which tap of a kernel stands at each place of another; undefined where none does. */
export type Taps = readonly (number | undefined)[];

/** One axis of a convolution, whose input has `length` elements and whose result has `places`. */
export interface ConvolvedAxis {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first element. */
  readonly before: number;
  readonly length: number;
  readonly places: number;
}

/** One axis of the transpose: elements of the input fall into `stride` phases, each of which sees taps of its own. */
export interface AxisPhases {
  /** For each phase the tap at each place of the kernel over dy. */
  readonly taps: readonly Taps[];
  /** Padding of dy. */
  readonly begin: number;
  readonly end: number;
  /** Elements of one phase. */
  readonly length: number;
}

/**
 * The element h = stride i + phase of x met tap r at place o where h = stride o + r dilation - before. With o = i + t that is
 * r = phase + before - stride t: a convolution of dy at stride 1, whose kernel places are the offsets t.
 *
 * Returns undefined for dilated strides, and where dy would have to be cut rather than padded.
 */
export function phasesOf({ size, stride, dilation, before, length, places }: ConvolvedAxis): AxisPhases | undefined {
  if (stride === 1) {
    const taps = [Array.from({ length: size }, (_, place) => size - 1 - place)];
    const begin = dilation * (size - 1) - before;
    return padded({ taps, begin, end: length - places - begin + dilation * (size - 1), length });
  }
  if (dilation !== 1) return undefined;
  const least = Math.ceil((before - size + 1) / stride);
  const most = Math.floor((stride - 1 + before) / stride);
  const taps = Array.from({ length: stride }, (_, phase) =>
    Array.from({ length: most - least + 1 }, (__, place) => {
      const tap = phase + before - stride * (least + place);
      return tap >= 0 && tap < size ? tap : undefined;
    }),
  );
  const each = Math.ceil(length / stride);
  return padded({ taps, begin: -least, end: each - places + most, length: each });
}

function padded(phases: AxisPhases): AxisPhases | undefined {
  return phases.begin >= 0 && phases.end >= 0 ? phases : undefined;
}
