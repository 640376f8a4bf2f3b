/** HQQ: scales and zero points of blocks for a small error that outliers do not dominate; no data needed. */

import { type BlockFormat, codeLimits } from "../block-format.ts";
import type { BlockGrid } from "../block-grid.ts";
import { toRows } from "../block-layer.ts";
import { type BlockWeights, blockExtent, nearestCodes } from "../block-weights.ts";
import { breathing } from "../breathing.ts";
import { layerWeights } from "../quantize-layer.ts";
import { blockParts, withBlocks } from "./block-parts.ts";
import { inputMeans } from "./input-means.ts";
import type { Refinement } from "./refinement.ts";

/** The norm of the error, below 1: large errors count less, as few weights have them. The authors' choice. */
const NORM = 0.7;
/** Weight of the quadratic term at first, and what it is multiplied by at each iteration; the authors' choices. */
const BETA = 10;
const KAPPA = 1.01;
const ITERATIONS = 20;

/**
 * Chooses scale and zero point of every block of weights for the least sum of |error|^0.7, from where they are.
 *
 * Errors e are split off by the proximal operator of the norm, `shrink(x) = sign(x) max(0, |x| - |x|^(p-1) / beta)`, and the
 * grid is then fitted to `w - e` by least squares; both in turns. Differences to the paper: errors are in units of a step, so
 * that nothing depends on the size of the weights; zero points are integers, as ONNX Runtime's fast kernels want them; the
 * scale is fitted too; and each block keeps the best grid on the way.
 *
 * Only blocks have it: layers in other forms stay as they are.
 *
 * @see Badri and Shaji 2023, "Half-Quadratic Quantization of Large Machine Learning Models", https://mobiusml.github.io/hqq_blog/.
 * @example
 * await quantize(model, { runtime, weights: 4, activations: 16, refinements: [halfQuadratic()] });
 */
export function halfQuadratic(): Refinement {
  return {
    name: "half-quadratic",
    summary: "grids of blocks of weights for the least |error|^0.7 (HQQ); needs no samples",
    needsData: false,
    async *refine(draft, context) {
      const parts = blockParts(draft);
      const breathe = breathing(context.signal);
      const means = await inputMeans(draft, parts.flat(), context);
      let refined = draft;
      for (const [done, layers] of parts.entries()) {
        if (done < context.skip) continue;
        if (performance.now() >= context.deadlineMs) return;
        await breathe();
        const [layer] = layers as [(typeof layers)[number]];
        const start = draft.weights.get(layer)!.weights as BlockWeights;
        const weights = halfQuadraticBlocks(toRows(layer, layerWeights(layer)), start);
        refined = withBlocks(refined, layers, weights, means);
        yield { draft: refined, done: done + 1, total: parts.length, unit: "matrix" };
      }
    },
  };
}

/** Returns weights on better grids, each rounded to the nearest code. */
export function halfQuadraticBlocks(values: Float32Array, start: BlockWeights): BlockWeights {
  const scales = start.scales.slice();
  const zeroPoints = start.zeroPoints.slice();
  for (let block = 0; block < scales.length; block++) {
    const grid = { scale: scales[block]!, zeroPoint: zeroPoints[block]! };
    const better = halfQuadraticGrid(values.subarray(...blockExtent(start, block)), grid, start);
    scales[block] = better.scale;
    zeroPoints[block] = better.zeroPoint;
  }
  const grids = { ...start, scales, zeroPoints };
  return { ...grids, codes: nearestCodes(values, grids) };
}

/** Returns the grid of a block with the least sum of |error|^p that is found from `start`; never a worse one. */
export function halfQuadraticGrid(
  values: Float32Array,
  start: BlockGrid,
  format: BlockFormat,
  norm: number = NORM,
): BlockGrid {
  const [lowest, highest] = codeLimits(format);
  const codes = new Float64Array(values.length);
  const targets = new Float64Array(values.length);
  let best = start;
  let leastLoss = Number.POSITIVE_INFINITY;
  let grid = start;
  let beta = BETA;
  for (let iteration = 0; iteration <= ITERATIONS; iteration++, beta *= KAPPA) {
    const { scale, zeroPoint } = grid;
    let loss = 0;
    for (let i = 0; i < values.length; i++) {
      const exact = values[i]! / scale + zeroPoint;
      const code = Math.min(highest, Math.max(lowest, Math.round(exact)));
      const error = exact - code;
      loss += (Math.abs(error) * scale) ** norm;
      codes[i] = code;
      targets[i] = values[i]! - shrink(error, beta, norm) * scale;
    }
    if (loss < leastLoss) {
      best = grid;
      leastLoss = loss;
    }
    const next = fittedGrid(targets, codes, grid, format);
    if (next.scale === scale && next.zeroPoint === zeroPoint && iteration > 0) break;
    grid = next;
  }
  return best;
}

function shrink(error: number, beta: number, norm: number): number {
  const size = Math.abs(error);
  return size === 0 ? 0 : Math.sign(error) * Math.max(0, size - size ** (norm - 1) / beta);
}

/** The grid of least squares that takes codes to targets; the old one where these do not determine it. */
function fittedGrid(targets: Float64Array, codes: Float64Array, old: BlockGrid, format: BlockFormat): BlockGrid {
  const zeroPoint = format.symmetric ? old.zeroPoint : fittedZeroPoint(targets, codes, old, format);
  let along = 0;
  let own = 0;
  for (let i = 0; i < codes.length; i++) {
    const steps = codes[i]! - zeroPoint;
    along += targets[i]! * steps;
    own += steps * steps;
  }
  const scale = Math.fround(along / own);
  return scale > 0 ? { scale, zeroPoint } : old;
}

function fittedZeroPoint(targets: Float64Array, codes: Float64Array, old: BlockGrid, format: BlockFormat): number {
  const count = codes.length;
  const [lowest, highest] = codeLimits(format);
  const meanCode = codes.reduce((sum, code) => sum + code, 0) / count;
  const meanTarget = targets.reduce((sum, target) => sum + target, 0) / count;
  let together = 0;
  let own = 0;
  for (let i = 0; i < count; i++) {
    together += (codes[i]! - meanCode) * (targets[i]! - meanTarget);
    own += (codes[i]! - meanCode) ** 2;
  }
  if (!(together > 0 && own > 0)) return old.zeroPoint;
  const zeroPoint = Math.round(meanCode - meanTarget / (together / own));
  return Math.min(highest, Math.max(lowest, zeroPoint));
}
