/** Giving each channel of a quantized model the mean and the deviation that it has in the float model. */
import { writeModel } from "../../onnx/index.ts";
import type { Layer } from "../../prepare/index.ts";
import { cloneProgram, Emitter, type Program, removeDeadNodes, type Value } from "../../program/index.ts";
import { int64, type Tensor, toFloat32 } from "../../tensor/index.ts";
import { joinPrograms } from "../join-programs.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import { outputChannels } from "../quantize-layer.ts";
import { hasPlaceForBias, isSuitable } from "./error-feedback.ts";
import { layerGroups } from "./layer-groups.ts";
import { PartJudge } from "./part-judge.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "./refinement.ts";
import { simulateDraft } from "./simulate-draft.ts";
import { withScaledRows } from "./weight-rows.ts";

/** Passes over the data, at most: layers are done in so many groups. */
const PASSES = 16;

/** Scales change by this factor at most: a larger one would stand for another channel, not for rounding. */
const LARGEST_GAIN = 1.25;

/** Channels with a deviation of less than this share of their largest moment hardly vary: only their mean is put right. */
const LEAST_DEVIATION = 1e-3;

/**
 * Makes a refinement that re-estimates what batch norms would: layer by layer, each output channel of the draft gets the mean
 * that it has in the float model by its bias, and the standard deviation by the scale of its weights. Costs nothing at run time. Parts that make the model's outputs worse on samples
 * kept back are left as they were.
 *
 * Hubara et al. 2020, "Improving post training neural quantization: layer-wise calibration and integer programming" (AdaQuant),
 * arXiv:2006.10518, section 4.
 *
 * @example
 * await quantize(bytes, { runtime, weights: 4, calibration, refinements: [reEstimation()] });
 */
export function reEstimation(): Refinement {
  return {
    name: "re-estimation",
    summary: "gives every channel the mean and deviation it has in the float model",
    refine,
  };
}

async function* refine(start: Draft, context: RefinementContext): AsyncGenerator<RefinedPart> {
  const layers = start.layers.filter(
    (layer) => start.weights.has(layer) && isSuitable(layer) && hasPlaceForBias(layer),
  );
  const judged = await PartJudge.open(start, context);
  let done = 0;
  for (const group of layerGroups(start.program, layers, PASSES)) {
    done += group.length;
    if (done <= context.skip) continue;
    if (performance.now() >= context.deadlineMs) return;
    const { draft, fit } = judged;
    const moments = await gatherMoments(draft, group, { ...context, data: fit });
    const weights = new Map(draft.weights);
    group.forEach((layer, i) => {
      weights.set(layer, reEstimated(weights.get(layer)!, moments[i]!));
    });
    yield { ...(await judged.take({ ...draft, weights }, group)), done, total: layers.length, unit: "layer" };
  }
}

/** By channel: means of x in the float model and y in the draft, and of their squares. */
interface OutputMoments {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly xx: Float64Array;
  readonly yy: Float64Array;
}

function reEstimated(quantized: QuantizedLayer, { x, y, xx, yy }: OutputMoments): QuantizedLayer {
  const { layer, weights, channels, biasShift } = quantized;
  const bias = layer.bias && toFloat32(layer.bias.constant!.load());
  const factors = new Float64Array(channels).fill(1);
  const shift = Float64Array.from({ length: channels }, (_, c) => {
    const wanted = Math.sqrt(Math.max(0, xx[c]! - x[c]! ** 2));
    const reached = Math.sqrt(Math.max(0, yy[c]! - y[c]! ** 2));
    const least = LEAST_DEVIATION * Math.sqrt(Math.max(xx[c]!, yy[c]!));
    if (wanted > least && reached > least) {
      factors[c] = Math.min(Math.max(wanted / reached, 1 / LARGEST_GAIN), LARGEST_GAIN);
    }
    const before = (bias ? bias[bias.length === 1 ? 0 : c]! : 0) + (biasShift?.[c] ?? 0);
    return (biasShift?.[c] ?? 0) + x[c]! - factors[c]! * (y[c]! - before) - before;
  });
  return { ...quantized, weights: withScaledRows(weights, factors), biasShift: shift };
}

async function gatherMoments(
  draft: Draft,
  layers: readonly Layer[],
  { runtime, data, signal }: RefinementContext,
): Promise<OutputMoments[]> {
  const session = await runtime.createSession(writeModel(momentsProgram(draft, layers)), { keepQuantization: true });
  const sums = layers.map((layer) => NAMES.map(() => new Float64Array(outputChannels(layer))));
  const counts = layers.map(() => 0);
  try {
    for await (const feeds of data.batches()) {
      signal?.throwIfAborted();
      const results = await session.run(feeds);
      for (const [i, layer] of layers.entries()) {
        NAMES.forEach((name, n) => {
          addTo(sums[i]![n]!, results[`${name}.${i}`]!);
        });
        const shape = results[`shape.${i}`]!.data as BigInt64Array;
        counts[i]! += shape.reduce((product, length) => product * Number(length), 1) / outputChannels(layer);
      }
    }
  } finally {
    await session.release();
  }
  return sums.map((of, i) => {
    const [x, y, xx, yy] = of.map((sum) => sum.map((total) => total / counts[i]!));
    return { x: x!, y: y!, xx: xx!, yy: yy! };
  });
}

const NAMES = ["x", "y", "xx", "yy"] as const;

function momentsProgram(draft: Draft, layers: readonly Layer[]): Program {
  const float = cloneProgram(draft.program);
  const simulation = simulateDraft(draft);
  const emitter = new Emitter();
  const outputs = layers.flatMap((layer, i) => {
    const [x, y] = [float.values.get(layer.output)!, simulation.locate(layer.output)];
    const product = (a: Value, b: Value) => emitter.emit("Mul", [a, b]);
    const axes =
      layer.spatialRank === 0
        ? (layer.output.shape ?? [0, 0]).slice(1).map((_, axis) => axis)
        : [0, ...Array.from({ length: layer.spatialRank }, (_, axis) => axis + 2)];
    const sum = (name: string, value: Value) =>
      emitter.emit("ReduceSum", [value, emitter.constant("axes", int64(axes))], {
        output: `${name}.${i}`,
        dtype: "float32",
        shape: [null],
        attributes: { keepdims: 0 },
      });
    return [
      sum("x", x),
      sum("y", y),
      sum("xx", product(x, x)),
      sum("yy", product(y, y)),
      emitter.emit("Shape", [x], { output: `shape.${i}`, dtype: "int64", shape: [null] }),
    ];
  });
  const joined = joinPrograms(float.program, simulation.program, emitter, outputs);
  removeDeadNodes(joined.graph);
  return joined;
}

function addTo(total: Float64Array, { data }: Tensor): void {
  const values = data as Float32Array;
  for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
}
