/** What quantized weights add to a layer's output on average, for the bias to take away. */
import { ShapeError } from "../errors.ts";

/** How a layer uses its weights. */
export interface WeightUse {
  /** Shape of the weights. */
  readonly shape: readonly number[];
  /**
   * "outputs-first": [outputs, inputs / groups, ...kernel], as Conv and Gemm with transB; "inputs-first": [inputs, outputs /
   * groups, ...kernel], as ConvTranspose, MatMul and Gemm. Default "outputs-first".
   */
  readonly layout?: "outputs-first" | "inputs-first";
  /** Groups of a convolution: as many as inputs when depthwise. Default 1. */
  readonly groups?: number;
  /** Product of a ConvTranspose's strides: only one in so many kernel elements meets each output. Default 1. */
  readonly upsampling?: number;
}

/**
 * Returns by how much each output channel falls short on average: `sum_k (W - Wq)[o, k] E[x_k]`, to be added to the bias.
 *
 * This is ACIQ's mean correction (section 7) where the corrected weights have to stay on their integer grid, with the inputs'
 * means in place of a rank-one term: exact in the mean, not for each input. Padding is ignored: near the border fewer kernel
 * elements meet the input.
 *
 * @param inputMeans Mean of each input channel, [inputs].
 * @returns [outputs], in the unit of the layer's output.
 * @throws ShapeError if shapes, groups and means do not fit together.
 */
export function biasShift(
  weights: Float32Array,
  quantized: Float32Array,
  inputMeans: ArrayLike<number>,
  { shape, layout = "outputs-first", groups = 1, upsampling = 1 }: WeightUse,
): Float64Array {
  const [first = 1, second = 1, ...kernel] = shape;
  const taps = kernel.reduce((a, b) => a * b, 1);
  const outputsFirst = layout === "outputs-first";
  const outputs = outputsFirst ? first : second * groups;
  const inputs = outputsFirst ? second * groups : first;
  assertFits(weights.length, quantized.length, inputMeans.length, first * second * taps, inputs);
  if (first % groups !== 0) {
    throw new ShapeError(`biasShift: ${groups} groups must divide the first axis of [${shape.join(", ")}].`);
  }
  const shift = new Float64Array(outputs);
  const perGroup = first / groups;
  let at = 0;
  for (let a = 0; a < first; a++) {
    const groupStart = Math.floor(a / perGroup) * second;
    for (let b = 0; b < second; b++) {
      let difference = 0;
      for (const end = at + taps; at < end; at++) difference += weights[at]! - quantized[at]!;
      const output = outputsFirst ? a : groupStart + b;
      const input = outputsFirst ? groupStart + b : a;
      shift[output]! += (difference * inputMeans[input]!) / upsampling;
    }
  }
  return shift;
}

function assertFits(weights: number, quantized: number, means: number, elements: number, inputs: number): void {
  if (weights !== elements || quantized !== elements) {
    throw new ShapeError(
      `biasShift: weights must hold the ${elements} elements of their shape, got ${weights} and ${quantized}.`,
    );
  }
  if (means !== inputs) {
    throw new ShapeError(`biasShift: there must be one mean for each of ${inputs} input channels, got ${means}.`);
  }
}
