/** SmoothQuant: channels with outliers made smaller where a normalization scales them, and their weights larger. */
import { floatConstant, type Layer } from "../../prepare/index.ts";
import type { Program, Use, Value } from "../../program/index.ts";
import { calibrate } from "../calibrate.ts";
import { layerWeights } from "../quantize-layer.ts";
import { FLOAT_BITS } from "../settings.ts";
import { channelDivider, type DivideChannels } from "./absorb-factors.ts";
import type { Refinement, RewriteContext } from "./refinement.ts";

/** Options of `smoothing`. */
export interface SmoothingOptions {
  /** How much of the difference in size goes from activations to weights: 0 none, 1 all of it. Default 0.5. */
  readonly alpha?: number;
}

/** An input of matrix products whose channels can be scaled. */
interface Place {
  readonly value: Value;
  readonly layers: readonly Layer[];
  readonly divide: DivideChannels;
}

/**
 * Divides each channel j of the input of matrix products by `s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)` and multiplies the
 * weights that meet it by the same: activations with outliers in a few channels become even, and rounding them costs less.
 * The division goes into the scale and shift of the normalization before, or into the weights before where a product of
 * both is the input (gated feed-forward layers). Outputs stay what they are. Inputs that come from anything else, or that
 * others read too, stay as they are and are listed.
 *
 * For 8-bit activations of transformers. With float activations it does nothing: there is nothing to gain, and tied embeddings
 * would have to be stored twice. Weights of 4 bits lose as much as activations gain: try an alpha of 0.3.
 *
 * @see Xiao et al. 2022, "SmoothQuant", arXiv:2211.10438, equation 4.
 * @example
 * await quantize(model, { runtime, weights: 8, activations: 8, calibration, refinements: [smoothing()] });
 */
export function smoothing({ alpha = 0.5 }: SmoothingOptions = {}): Refinement {
  return {
    name: "smoothing",
    summary: "even channels across normalizations and the matrix products behind them (SmoothQuant)",
    needsData: false,
    async rewrite(program, layers, context) {
      if (context.settings.activations === FLOAT_BITS) return ["nothing to do: activations stay in float"];
      const { places, skipped } = findPlaces(program, layers);
      if (places.length > 0) {
        const maxima = await activationMaxima(program, places, context);
        for (const place of places) smooth(place, maxima.get(place.value)!, alpha);
      }
      const done = `channels of ${places.length} of ${places.length + skipped.length} inputs of matrix products made even`;
      return [skipped.length === 0 ? done : `${done}; not those of ${skipped.join("; ")}`];
    },
  };
}

function findPlaces(program: Program, layers: readonly Layer[]): { places: Place[]; skipped: string[] } {
  const { graph } = program;
  const uses = graph.uses();
  const byInput = new Map<Value, Layer[]>();
  for (const layer of layers) {
    if (!isProduct(layer)) continue;
    byInput.set(layer.input, [...(byInput.get(layer.input) ?? []), layer]);
  }
  const places: Place[] = [];
  const skipped: string[] = [];
  for (const [value, readers] of byInput) {
    const channels = value.shape?.at(-1);
    const found = obstacle(value, readers, uses);
    const around = { graph, uses, channels: typeof channels === "number" ? channels : 0 };
    const divide = found === undefined ? channelDivider(value, around) : undefined;
    if (divide) places.push({ value, layers: readers, divide });
    else
      skipped.push(
        `${readers.map(({ node }) => node.label).join(", ")} (${found ?? "no constant before takes the factors"})`,
      );
  }
  return { places, skipped };
}

/** A product of rows and a matrix of its own. */
function isProduct({ kind, node, weight, weightIndex }: Layer): boolean {
  if (weightIndex !== 1 || weight.constant!.shape.length !== 2) return false;
  return kind === "matmul" || (kind === "gemm" && node.int("transA", 0) === 0);
}

function obstacle(
  value: Value,
  readers: readonly Layer[],
  uses: ReadonlyMap<Value, readonly Use[]>,
): string | undefined {
  if (readers.some(({ sharesWeight }) => sharesWeight)) return "its weights are used elsewhere too";
  const others = (uses.get(value) ?? []).filter(({ node }) => !readers.some((reader) => reader.node === node));
  const [other] = others;
  return other && `its input is also read by ${other.node ? other.node.label : "the model's output"}`;
}

async function activationMaxima(
  program: Program,
  places: readonly Place[],
  { runtime, data, settings, signal }: RewriteContext,
): Promise<Map<Value, Float64Array>> {
  const requests = places.map(({ value }) => {
    return { value, channelAxis: -1, detail: "channel", exact: false, positions: 1 } as const;
  });
  const { statistics } = await calibrate(program, requests, data, { runtime, seed: settings.seed, signal });
  return new Map(
    places.map(({ value }) => {
      const channels = statistics.get(value)!.channels!;
      return [value, Float64Array.from(channels, ({ min, max }) => Math.max(Math.abs(min), Math.abs(max)))];
    }),
  );
}

function smooth({ layers, divide }: Place, maxima: Float64Array, alpha: number): void {
  const weightMaxima = new Float64Array(maxima.length);
  for (const layer of layers) largestByInput(layer, weightMaxima);
  const factors = smoothingFactors(maxima, weightMaxima, alpha);
  divide(factors);
  // A layer may be what takes the factors of the one behind it: its weights are those of now.
  for (const layer of layers) multiplyInputs(layer, factors);
}

/** Returns `max|X|^alpha / max|W|^(1 - alpha)` for each channel; 1 where either is zero. */
export function smoothingFactors(activations: Float64Array, weights: Float64Array, alpha: number): Float64Array {
  return activations.map((activation, channel) => {
    const factor = activation ** alpha / weights[channel]! ** (1 - alpha);
    return activation > 0 && weights[channel]! > 0 && Number.isFinite(factor) ? factor : 1;
  });
}

function largestByInput(layer: Layer, maxima: Float64Array): void {
  const { values, inputOf } = currentWeights(layer);
  for (let i = 0; i < values.length; i++) {
    const input = inputOf(i);
    maxima[input] = Math.max(maxima[input]!, Math.abs(values[i]!));
  }
}

function multiplyInputs(layer: Layer, factors: Float64Array): void {
  const { values, inputOf, value } = currentWeights(layer);
  const scaled = Float64Array.from(values, (weight, i) => weight * factors[inputOf(i)]!);
  const { dtype, shape } = value.constant!;
  layer.node.inputs[layer.weightIndex] = floatConstant(value.name, dtype, shape, scaled);
}

/** The weights that the node has now, and which input channel each of them meets. */
function currentWeights(layer: Layer): { value: Value; values: Float32Array; inputOf: (index: number) => number } {
  const value = layer.node.input(layer.weightIndex);
  const values = layerWeights({ ...layer, weight: value });
  const columns = value.constant!.shape[1]!;
  const inputOf = (index: number) => (layer.inputChannelAxis === 0 ? Math.floor(index / columns) : index % columns);
  return { value, values, inputOf };
}
