/** What each width of each layer does alone to a model's outputs. */
import { writeModel } from "../../onnx/index.ts";
import { floatTensor, type Layer } from "../../prepare/index.ts";
import { type Node, type Program, Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { type Tensor, toFloat32 } from "../../tensor/index.ts";
import { hasChannelBias } from "../channel-bias.ts";
import type { DraftParts } from "../ladder.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import { shiftedBias } from "../lowering/weight-constants.ts";
import type { CalibrationData, Feeds, Progress } from "../options.ts";
import { floatsOf, outputChannels } from "../quantize-layer.ts";
import { cloneDraft } from "../refinements/clone-draft.ts";
import type { OutputError } from "./output-error.ts";

/** One width of a group of layers, rounded. */
export interface Candidate {
  readonly rounded: readonly QuantizedLayer[];
}

/** Options of `measureSensitivities`. */
export interface SensitivityOptions {
  readonly runtime: Runtime;
  readonly data: CalibrationData;
  readonly error: OutputError;
  /** Batches of data that are run, at most. */
  readonly batches: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: Progress) => void;
}

/** Errors of all candidates, and how many batches they are means over. */
export interface Sensitivities {
  /** As many as there are candidates, in their order. */
  readonly errors: readonly number[];
  readonly batches: number;
}

/**
 * Runs the float model with the weights of one candidate at a time, and returns the error of its outputs, the mean over batches.
 * Weights and biases are inputs of one model, so that one session serves all candidates.
 *
 * @param candidates Made one by one, so that not all of their weights are in memory at once.
 */
export async function measureSensitivities(
  parts: Pick<DraftParts, "program" | "layers" | "plan" | "settings">,
  candidates: AsyncIterable<Candidate>,
  total: number,
  { runtime, data, error, batches, signal, onProgress }: SensitivityOptions,
): Promise<Sensitivities> {
  const model = modelOfWeights(parts);
  const session = await runtime.createSession(writeModel(model.program));
  try {
    const samples: { feeds: Feeds; reference: Record<string, Tensor> }[] = [];
    const fetches = error.outputs.map(({ name }) => name);
    for await (const feeds of data.batches()) {
      if (samples.length === batches) break;
      samples.push({ feeds, reference: await session.run({ ...feeds, ...model.floats }, fetches) });
    }
    const errors: number[] = [];
    for await (const { rounded } of candidates) {
      const weights = { ...model.floats, ...model.feedsOf(rounded) };
      let sum = 0;
      for (const { feeds, reference } of samples) {
        signal?.throwIfAborted();
        sum += error.of(reference, await session.run({ ...feeds, ...weights }, fetches));
      }
      errors.push(sum / samples.length);
      onProgress({ stage: "sensitivity", done: errors.length, total, unit: "widths" });
    }
    return { errors, batches: samples.length };
  } finally {
    await session.release();
  }
}

/** A model whose layers' weights and biases are inputs. */
interface ModelOfWeights {
  readonly program: Program;
  /** The float model's own numbers. */
  readonly floats: Feeds;
  feedsOf(rounded: readonly QuantizedLayer[]): Feeds;
}

function modelOfWeights({ program, layers, plan, settings }: Omit<DraftParts, "calibration">): ModelOfWeights {
  const { draft } = cloneDraft({ program, layers, plan, settings, weights: new Map(), grids: new Map() });
  const inputs: Value[] = [];
  const floats: Record<string, Tensor> = {};
  const names = new Map<Layer, { weight: string; bias: string | undefined }>();
  const known = new Map<Value, Value>();
  const added = (name: string, tensor: Tensor): Value => {
    const input = new Value(`modicum.${inputs.length}.${name}`, tensor.dtype, tensor.shape);
    inputs.push(input);
    floats[input.name] = tensor;
    return input;
  };
  for (const [i, layer] of draft.layers.entries()) {
    const weight = known.get(layer.weight) ?? added("weight", layer.weight.constant!.load());
    known.set(layer.weight, weight);
    const place = biasPlace(layer);
    const bias = place && added("bias", biasTensor(layer, place.shape, undefined));
    layer.node.inputs[layer.weightIndex] = weight;
    if (place) place.node.inputs[place.index] = bias;
    names.set(layers[i]!, { weight: weight.name, bias: bias?.name });
  }
  draft.program.graph.inputs = [...draft.program.graph.inputs, ...inputs];
  const feedsOf = (rounded: readonly QuantizedLayer[]): Feeds =>
    Object.fromEntries(
      rounded.flatMap(({ layer, weights, biasShift }): [string, Tensor][] => {
        const { weight, bias } = names.get(layer)!;
        const { dtype, shape } = layer.weight.constant!;
        const feeds: [string, Tensor][] = [[weight, floatTensor(dtype, shape, floatsOf(layer, weights))]];
        if (bias) feeds.push([bias, biasTensor(layer, floats[bias]!.shape, biasShift)]);
        return feeds;
      }),
    );
  return { program: draft.program, floats, feedsOf };
}

/** Where a layer's bias is read, and its shape there; undefined for layers that get no other bias when they are rounded. */
function biasPlace(
  layer: Layer,
): { readonly node: Node; readonly index: number; readonly shape: readonly number[] } | undefined {
  const { node, bias, biasNode, kind } = layer;
  const channels = outputChannels(layer);
  if (!hasChannelBias(layer) || kind === "embedding" || kind === "recurrent") return undefined;
  if (biasNode) {
    const { shape } = bias!.constant!;
    return {
      node: biasNode,
      index: biasNode.inputs.indexOf(bias),
      shape: shape.at(-1) === channels ? shape : [channels],
    };
  }
  return kind === "matmul" ? undefined : { node, index: 2, shape: [channels] };
}

function biasTensor(layer: Layer, shape: readonly number[], biasShift: Float64Array | undefined): Tensor {
  const channels = outputChannels(layer);
  const bias = shiftedBias({ layer, channels, biasShift }) ?? new Float32Array(channels);
  return floatTensor(layer.weight.dtype!, shape, toFloat32(floatTensor("float32", [channels], bias)));
}
