/** What every width of every layer costs: error, bytes, milliseconds. */
import { UnsupportedError } from "../../errors.ts";
import type { Layer } from "../../prepare/index.ts";
import type { Node } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { breathing } from "../breathing.ts";
import { deployableGrids } from "../choose-grids.ts";
import { type DraftParts, firstDraft } from "../ladder.ts";
import { layerName } from "../layer-bits.ts";
import type { LoweredProgram } from "../lowering/plan.ts";
import type { CalibrationData, Feeds, Progress } from "../options.ts";
import { assignBits } from "../policy.ts";
import { cloneDraft } from "../refinements/clone-draft.ts";
import type { Draft } from "../refinements/refinement.ts";
import { roundLayers } from "../round-layers.ts";
import { FLOAT_BITS } from "../settings.ts";
import type { WidthOption } from "./choose-bits.ts";
import { floatBytes, quantizedBytes } from "./layer-bytes.ts";
import { layerGroups } from "./layer-groups.ts";
import { layerLatenciesMs } from "./layer-latency.ts";
import { outputError } from "./output-error.ts";
import { type Candidate, measureSensitivities } from "./sensitivity.ts";

/** Widths that are tried. 7 bits hardly differ from 8. */
const WIDTHS = [2, 3, 4, 5, 6, 8];

/** Batches that errors are measured on: they rank layers, which few samples do. */
const BATCHES = 16;

/** Layers that have one width together, and what each width costs. */
export interface SurveyedGroup {
  readonly layers: readonly Layer[];
  readonly widths: readonly WidthOption[];
}

/** What is known about all layers. */
export interface Survey {
  readonly groups: readonly SurveyedGroup[];
  readonly errorMeasure: string;
  readonly samples: number;
  /** One sample, for measuring latency. */
  readonly feeds: Feeds;
}

/** Options of `surveyWidths`. */
export interface SurveyOptions {
  readonly runtime: Runtime;
  /** Samples that errors are measured on. */
  readonly data: CalibrationData;
  readonly withLatency: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: Progress) => void;
  /** Lowers a draft as it would be deployed. The draft's program is used up. */
  lower(draft: Draft): LoweredProgram;
}

/**
 * Measures what each width of each layer does to the outputs, all other layers in float; counts its bytes; and, where latency
 * is limited, measures how long the layer takes in float and in integers. All widths of integers take the same time: weights
 * become int8 when ONNX Runtime loads the model, since it has no narrower kernels.
 *
 * @throws UnsupportedError if the model has no float output to compare.
 */
export async function surveyWidths(parts: DraftParts, options: SurveyOptions): Promise<Survey> {
  const { program, layers, calibration, settings, plan } = parts;
  const { data, signal, withLatency } = options;
  // Layers are told apart by name, in what is written too.
  for (const { node, output } of layers) node.name ||= output.name;
  const error = outputError(program.graph.outputs, layers);
  if (!error)
    throw new UnsupportedError("quantize: limits need a model with a float output, to see what widths do to it.");
  const groups = layerGroups(layers).map((group) => ({ layers: group, bits: allowedBits(group, parts) }));
  const grids = deployableGrids(calibration.choices, plan);
  const breathe = breathing(signal);
  const sizes: number[] = [];
  const total = groups.reduce((sum, { bits }) => sum + bits.filter((width) => width !== FLOAT_BITS).length, 0);
  async function* candidates(): AsyncGenerator<Candidate> {
    for (const group of groups) {
      for (const bits of group.bits) {
        if (bits === FLOAT_BITS) continue;
        const layerBits = new Map(group.layers.map((layer) => [layerName(layer), { weights: bits }]));
        const own = { ...settings, layerBits };
        const rounded = [...(await roundLayers(group.layers, own, { ...calibration, grids, breathe })).values()];
        sizes.push(quantizedBytes(rounded, settings.target));
        yield { rounded };
      }
    }
  }
  const { errors, batches } = await measureSensitivities(parts, candidates(), total, {
    ...options,
    error,
    batches: BATCHES,
  });
  const feeds = await firstOf(data);
  const latencies = withLatency ? await latenciesOf(parts, feeds, options) : undefined;
  let next = 0;
  const surveyed = groups.map(({ layers: own, bits }): SurveyedGroup => {
    const widths = bits.map((width): WidthOption => {
      const latencyMs = own.reduce(
        (sum, layer) => sum + (latencies?.get(layer)?.[width === FLOAT_BITS ? "float" : "integer"] ?? 0),
        0,
      );
      if (width === FLOAT_BITS) return { bits: width, error: 0, sizeBytes: floatBytes(own), latencyMs };
      const at = next++;
      return { bits: width, error: errors[at]!, sizeBytes: sizes[at]!, latencyMs };
    });
    return { layers: own, widths };
  });
  return { groups: surveyed, errorMeasure: error.name, samples: batches, feeds };
}

/** The widths a group may have: what was asked for of one of its layers, else all that its policy does not rule out. */
function allowedBits(group: readonly Layer[], { layers, settings }: DraftParts): number[] {
  const asked = group
    .map((layer) => settings.layerBits.get(layerName(layer))?.weights)
    .find((bits) => bits !== undefined);
  if (asked !== undefined) return [asked];
  const least = assignBits(settings.policy, layers, { weights: WIDTHS[0]!, activations: settings.activations });
  const fewest = Math.max(...group.map((layer) => least.get(layer)!.weights));
  return [...WIDTHS.filter((bits) => bits >= fewest), FLOAT_BITS];
}

/** Milliseconds of a layer in both of its forms. */
interface Latencies {
  readonly float: number;
  readonly integer: number;
}

async function latenciesOf(parts: DraftParts, feeds: Feeds, options: SurveyOptions): Promise<Map<Layer, Latencies>> {
  const { layers, settings } = parts;
  const measuring = { runtime: options.runtime, feeds, signal: options.signal };
  const { draft: floats } = cloneDraft({ ...parts, weights: new Map(), grids: new Map() });
  const floatMs = await layerLatenciesMs(
    floats.program,
    floats.layers.map(({ node, biasNode, activation }) => [node, ...(biasNode ? [biasNode] : []), ...activation.nodes]),
    measuring,
  );
  const layerBits = new Map(layers.map((layer) => [layerName(layer), { weights: 8 }]));
  const draft = await firstDraft({ ...parts, settings: { ...settings, layerBits } }, options.signal);
  const lowered = options.lower(draft).program;
  const byName = new Map<string, Node>(lowered.graph.nodes.map((node) => [node.name, node]));
  const pieces = layers.map((layer) => byName.get(layer.node.name));
  const integerMs = await layerLatenciesMs(
    lowered,
    pieces.map((node) => (node ? [node] : [])),
    measuring,
  );
  return new Map(
    layers.map((layer, i) => [layer, { float: floatMs[i]!, integer: pieces[i] ? integerMs[i]! : floatMs[i]! }]),
  );
}

async function firstOf(data: CalibrationData): Promise<Feeds> {
  for await (const feeds of data.batches()) return feeds;
  throw new Error("internal: calibration had samples, and now there are none");
}
