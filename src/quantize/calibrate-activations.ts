/** The statistics a quantization needs, and the grids that follow from them. */
import type { Layer } from "../prepare/index.ts";
import type { Program, Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { ActivationPlan, ActivationRequest } from "./activation-plan.ts";
import { breathing } from "./breathing.ts";
import { calibrate, type InputMoments, type ValueStatistics } from "./calibrate.ts";
import { MAXIMUM_POSITIONS, type StatisticsRequest } from "./calibration-program.ts";
import { type ActivationChoice, type ChoiceOptions, chooseGrid, deployableGrids, UNCLIPPED } from "./choose-grids.ts";
import { withoutCoarseMaxima } from "./coarse-maxima.ts";
import type { ActivationGrid } from "./grid.ts";
import type { CalibrationData, Progress } from "./options.ts";
import { assignBits, type LayerBits } from "./policy.ts";
import type { RangeMethod } from "./ranges/range-method.ts";
import { channelAxisOf, isFeatureMap } from "./record-shapes.ts";
import type { Settings } from "./settings.ts";
import { bestCandidate } from "./try-ranges.ts";

/** What calibration led to. */
export interface ActivationCalibration {
  /** How each activation is quantized, by the value that is stored. */
  readonly choices: ReadonlyMap<Value, ActivationChoice>;
  /** The same by minimum and maximum, which refinements are compared with; empty without refinements. */
  readonly unclipped: ReadonlyMap<Value, ActivationChoice>;
  /** Layers that compute in float although they have an integer form, with the reason. */
  readonly floatLayers: ReadonlyMap<Layer, string>;
  /** Moments of the channels of layers' inputs, for corrections. */
  readonly inputMoments: ReadonlyMap<Value, InputMoments>;
  readonly samples: number;
  readonly batches: number;
}

/** Options of `calibrateActivations`. */
export interface CalibrateActivationsOptions {
  readonly runtime: Runtime;
  readonly settings: Settings;
  /** Whether the data are the user's, so that what the model computes on them means something. */
  readonly hasData: boolean;
  /** Results whose channels get scales of their own. */
  readonly scaled: ReadonlySet<Value>;
  /** Statistics known without running the model, which replace measured ones. */
  readonly known: ReadonlyMap<Value, ValueStatistics>;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Samples a tensor's histogram is made of, at least, where the data has them. */
const HISTOGRAM_SAMPLES = 65_536;
/** The same for one channel's, from all batches together. */
const CHANNEL_SAMPLES = 1024;

/** Samples on which two range methods are compared: the differences that matter show on few. */
const TRIAL_SAMPLES = 4;

/** Places sampled from each feature map for the variance of a layer's inputs. */
const INPUT_POSITIONS = 4;

/** Range methods whose formulas take b or sigma: these get them from all values. */
const USES_DEVIATIONS: ReadonlySet<string> = new Set(["aciq-laplace", "aciq-gauss", "aciq-mix", "n-sigma"]);

/** Runs the model over the data, and chooses a grid for every activation of the plan. */
export async function calibrateActivations(
  program: Program,
  layers: readonly Layer[],
  plan: ActivationPlan,
  data: CalibrationData,
  options: CalibrateActivationsOptions,
): Promise<ActivationCalibration> {
  const { settings, known } = options;
  const inputsOf =
    settings.correction === "none" ? [] : [...new Set(layers.filter(hasChannelMeans).map((layer) => layer.input))];
  const requests = [
    ...[...plan.requests.values()].map((request) => fullRequest(request, data, options)),
    ...inputsOf.map(inputRequest),
  ];
  const ranked = requests.filter(({ value }) => value.shape !== undefined && value.shape.length > 0);
  const found = await calibrate(program, mergeRequests(ranked), data, { ...options, seed: settings.seed });
  const statistics = new Map([...found.statistics, ...known]);
  const choices = new Map<Value, ActivationChoice>();
  const rivals = new Map<Value, ActivationChoice>();
  const unclipped = new Map<Value, ActivationChoice>();
  const bitsOf = assignBits(settings.policy, layers, settings);
  const breathe = breathing(options.signal);
  for (const [value, request] of plan.requests) {
    await breathe();
    // Batch norms know the values before the activation function; after it they are no longer normally distributed.
    const own = known.get(request.statisticsOf) ?? statistics.get(describedValue(request, settings.range));
    if (!own?.tensor) continue;
    const asked = choiceOptions(request, bitsOf, settings);
    choices.set(value, chooseGrid(request, own, asked));
    if (settings.refinements.length > 0) {
      unclipped.set(value, chooseGrid(request, own, { ...asked, method: UNCLIPPED }));
    }
    if (!settings.rival || request.side === "one-sided" || asked.method === UNCLIPPED) continue;
    rivals.set(value, chooseGrid(request, own, { ...asked, method: settings.rival }));
  }
  if (options.hasData && rivals.size > 0) {
    const all = new Map([...choices, ...rivals]);
    const batches = Math.ceil((TRIAL_SAMPLES * found.batches) / Math.max(1, found.samples));
    const trial = { runtime: options.runtime, batches, signal: options.signal };
    if ((await bestCandidate(program, differingGrids([choices, all], plan), data, trial)) === 1) {
      for (const [value, choice] of rivals) choices.set(value, choice);
    }
  }
  const inputMoments = new Map(
    inputsOf.flatMap((value) => (statistics.has(value) ? [[value, statistics.get(value)!.inputs] as const] : [])),
  );
  const remaining = settings.simulate ? { choices, floatLayers: new Map() } : withoutCoarseMaxima(choices, layers);
  return { ...remaining, unclipped, inputMoments, samples: found.samples, batches: found.batches };
}

/** The grids that two sets of choices give differently. */
function differingGrids(
  choices: readonly [ReadonlyMap<Value, ActivationChoice>, ReadonlyMap<Value, ActivationChoice>],
  plan: ActivationPlan,
): Map<Value, ActivationGrid>[] {
  const a = deployableGrids(choices[0], plan);
  const b = deployableGrids(choices[1], plan);
  const differing = [...a.keys()].filter((value) => {
    const [own, other] = [a.get(value)!, b.get(value)!];
    return choices[0].has(value) && (own.scale !== other.scale || own.zeroPoint !== other.zeroPoint);
  });
  return [a, b].map((grids) => new Map(differing.map((value) => [value, grids.get(value)!])));
}

/** Whether the mean of each input channel says something about a layer's outputs. */
function hasChannelMeans({ kind, node, input }: Layer): boolean {
  // Rows of a transposed matrix are not its channels.
  if (node.int("transA", 0) === 1) return false;
  return kind !== "embedding" && kind !== "recurrent" && (input.shape?.length ?? 0) >= 2;
}

function inputRequest(value: Value): StatisticsRequest {
  return { value, channelAxis: channelAxisOf(value), detail: "inputs", exact: false, positions: INPUT_POSITIONS };
}

function fullRequest(
  request: ActivationRequest,
  data: CalibrationData,
  { settings, scaled }: Pick<CalibrateActivationsOptions, "settings" | "scaled">,
): StatisticsRequest {
  const value = describedValue(request, settings.range);
  const perChannel = settings.granularity === "channel" && isFeatureMap(value);
  const axis = channelAxisOf(value);
  const length = value.shape?.at(axis);
  const batches = Math.max(1, data.count ?? 32);
  const forTensor = Math.ceil(HISTOGRAM_SAMPLES / ((typeof length === "number" ? length : 1) * batches));
  const positions = Math.min(
    MAXIMUM_POSITIONS,
    Math.max(INPUT_POSITIONS, forTensor, perChannel ? Math.ceil(CHANNEL_SAMPLES / batches) : 0),
  );
  return {
    value,
    channelAxis: axis,
    detail: perChannel ? "channel" : "tensor",
    exact: USES_DEVIATIONS.has(settings.range.name),
    // Formulas of distributions before an activation function know nothing of one behind it.
    scaled: value === request.value && !USES_DEVIATIONS.has(settings.range.name) && scaled.has(value),
    minimum: value === request.value && request.low === 0 ? 0 : undefined,
    positions,
  };
}

/**
 * The value whose statistics a range method wants. ACIQ's formulas describe the distribution before a ReLU; methods that only
 * look at the values may look behind it, and the ReLU then stays fused with its layer.
 */
function describedValue({ value, statisticsOf }: ActivationRequest, range: RangeMethod): Value {
  return USES_DEVIATIONS.has(range.name) ? statisticsOf : value;
}

/** One request per value, with the most detail anybody asked for. */
function mergeRequests(requests: readonly StatisticsRequest[]): StatisticsRequest[] {
  const merged = new Map<Value, StatisticsRequest>();
  for (const request of requests) {
    const known = merged.get(request.value);
    if (!known || known.detail === "inputs") merged.set(request.value, request);
  }
  return [...merged.values()];
}

function choiceOptions(
  request: ActivationRequest,
  bitsOf: ReadonlyMap<Layer, LayerBits>,
  settings: Settings,
): ChoiceOptions {
  const { policy, activations: asked, variant, activationAllocation: allocation, granularity, simulate } = settings;
  const { role, layer, value } = request;
  const isInput = value.producer === undefined;
  const floor = isInput ? policy.inputBits : role === "pool" ? policy.poolBits : 0;
  const fromLayer = role === "layer" ? bitsOf.get(layer!)!.activations : asked;
  const bits = simulate ? Math.max(fromLayer, floor) : 8;
  const unclipped = isInput || role === "pool" || request.feedsMaximum || (role === "layer" && layer!.isClassifier);
  const perChannel = granularity === "channel" && !isInput && role !== "pool";
  return {
    bits,
    method: unclipped ? UNCLIPPED : settings.range,
    variant,
    allocation,
    perChannel,
    deployable: !simulate || settings.refinements.length > 0,
  };
}
