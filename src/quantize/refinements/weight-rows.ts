/** A layer's weights as rows, one per output, whatever way its operator takes them and its integers are held. */
import type { Layer } from "../../prepare/index.ts";
import { codeLimits } from "../block-format.ts";
import { highestCode } from "../grid.ts";
import { layerWeights } from "../quantize-layer.ts";
import type { QuantizedWeights } from "../quantized-weights.ts";
import type { RowGrids } from "./round-rows.ts";

/** Returns the float weights as [outputs, inputs of a group]. */
export function weightRows(layer: Layer): Float32Array {
  const values = layerWeights(layer);
  const { outputChannelAxis, weight } = layer;
  if (outputChannelAxis === 0) return values;
  const [inputs, outputs] = weight.constant!.shape as [number, number];
  const rows = new Float32Array(values.length);
  for (let i = 0, at = 0; i < inputs; i++) {
    for (let row = 0; row < outputs; row++, at++) rows[row * inputs + i] = values[at]!;
  }
  return rows;
}

/** Returns the grids that the rows of integer weights are on. */
export function rowGrids(weights: QuantizedWeights): RowGrids {
  if (weights.granularity === "channel") {
    const { grids, codes } = weights;
    return {
      scales: Float32Array.from(grids, ({ scale }) => scale),
      lowest: Float32Array.from(grids, ({ lowestCode, zeroPoint }) => lowestCode - zeroPoint),
      highest: Float32Array.from(grids, (grid) => highestCode(grid) - grid.zeroPoint),
      gridOf: new Uint32Array(codes.length / grids.length),
    };
  }
  const { scales, zeroPoints, rowLength, blockSize } = weights;
  const [lowest, highest] = codeLimits(weights);
  return {
    scales,
    lowest: Float32Array.from(zeroPoints, (zeroPoint) => lowest - zeroPoint),
    highest: Float32Array.from(zeroPoints, (zeroPoint) => highest - zeroPoint),
    gridOf: Uint32Array.from({ length: rowLength }, (_, i) => Math.floor(i / blockSize)),
  };
}

/** Returns integer weights with other integers, in steps from zero, and other scales, both as rows. */
export function withRows(
  layer: Layer,
  weights: QuantizedWeights,
  steps: Int16Array,
  scales: Float32Array,
): QuantizedWeights {
  if (weights.granularity === "block") {
    const { gridOf } = rowGrids(weights);
    const { rowLength, blocksPerRow, zeroPoints } = weights;
    const codes = Uint8Array.from(steps, (count, i) => {
      return count + zeroPoints[Math.floor(i / rowLength) * blocksPerRow + gridOf[i % rowLength]!]!;
    });
    return { ...weights, codes, scales };
  }
  const grids = weights.grids.map((grid, row) => ({ ...grid, scale: scales[row]! }));
  return {
    ...weights,
    codes: codesOf(
      layer,
      steps,
      grids.map(({ zeroPoint }) => zeroPoint),
    ),
    grids,
  };
}

/** Codes in the order of the weights. */
function codesOf({ outputChannelAxis }: Layer, steps: Int16Array, zeroPoints: readonly number[]): Int8Array {
  const outputs = zeroPoints.length;
  const inputs = steps.length / outputs;
  const codes = new Int8Array(steps.length);
  for (let row = 0, at = 0; row < outputs; row++) {
    for (let i = 0; i < inputs; i++, at++) {
      codes[outputChannelAxis === 0 ? at : i * outputs + row] = steps[at]! + zeroPoints[row]!;
    }
  }
  return codes;
}

/** Returns integer weights whose rows stand for so many times what they stood for. */
export function withScaledRows(weights: QuantizedWeights, factors: Float64Array): QuantizedWeights {
  if (weights.granularity === "block") {
    const { scales, blocksPerRow } = weights;
    return { ...weights, scales: scales.map((scale, i) => scale * factors[Math.floor(i / blocksPerRow)]!) };
  }
  const grids = weights.grids.map((grid, row) => ({ ...grid, scale: Math.fround(grid.scale * factors[row]!) }));
  return { ...weights, grids };
}
