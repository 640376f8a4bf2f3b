/** Layer policies: which layers and tensors keep more bits than was asked for. Data, not code. */
import type { Layer, LayerKind } from "../prepare/index.ts";
import { constantSize } from "../program/index.ts";
import { type LayerBitsOption, layerName } from "./layer-bits.ts";

/** One exception to the bits asked for. The first rule that matches a layer wins. */
export interface PolicyRule {
  /** All that is given must hold. */
  readonly when: {
    readonly first?: boolean;
    readonly classifier?: boolean;
    readonly kinds?: readonly LayerKind[];
    /** The layer is one of the smallest, which together hold at most this share of all weights. */
    readonly smallestShare?: number;
  };
  /** Bits of the weights; the bits asked for when absent, and never fewer than those. */
  readonly weights?: number;
  /** Bits of the layer's output; the bits asked for when absent, and never fewer than those. */
  readonly activations?: number;
  /** Said in the report. */
  readonly reason: string;
}

/** A named set of rules. */
export interface LayerPolicy {
  readonly name: string;
  readonly summary: string;
  readonly rules: readonly PolicyRule[];
  /** Bits of the model's inputs, and of pooled tensors, in simulations. Never fewer than asked for. */
  readonly inputBits: number;
  readonly poolBits: number;
  /** Whether residual sums and other inputs of layers are quantized in simulations. Always so in deployable models. */
  readonly quantizeSums: boolean;
}

const FIRST_LAYER: PolicyRule = {
  when: { first: true },
  weights: 8,
  activations: 8,
  reason: "first layer keeps 8 bits",
};
const CLASSIFIER: PolicyRule = {
  when: { classifier: true },
  weights: 8,
  activations: 8,
  reason: "classifier keeps 8 bits",
};

/** ACIQ's published setting (section 8): first layer and classifier at 8 bits, pooled tensors at 8 bits. */
const paper: LayerPolicy = {
  name: "paper",
  summary: "first layer and classifier at 8 bits, as in ACIQ's experiments",
  rules: [FIRST_LAYER, CLASSIFIER],
  inputBits: 8,
  poolBits: 8,
  quantizeSums: false,
};

/**
 * The paper's, and 8 bits for the smallest layers. At 4 bits all layers lose about as much (weights at 17 to 20 dB), so the
 * errors worth buying back are those of the layers with the fewest bytes: depthwise kernels, bottlenecks.
 */
const deploy: LayerPolicy = {
  name: "deploy",
  summary: "as paper, and the smallest layers, together a tenth of the weights, at 8 bits",
  rules: [FIRST_LAYER, CLASSIFIER, { when: { smallestShare: 0.1 }, weights: 8, reason: "small layer keeps 8 bits" }],
  inputBits: 8,
  poolBits: 8,
  quantizeSums: true,
};

/** No exceptions. */
const uniform: LayerPolicy = {
  name: "uniform",
  summary: "the bits asked for, everywhere",
  rules: [],
  inputBits: 0,
  poolBits: 0,
  quantizeSums: true,
};

/** Every layer policy by name. */
export const layerPolicies: Readonly<Record<string, LayerPolicy>> = { paper, deploy, uniform };

/** Bits of one layer. */
export interface LayerBits {
  readonly weights: number;
  readonly activations: number;
  /** Why they are not the bits asked for; null when they are. */
  readonly reason: string | null;
}

/** Returns the bits a policy gives each layer when `weights` and `activations` are asked for, and `layerBits` of single layers. */
export function assignBits(
  policy: LayerPolicy,
  layers: readonly Layer[],
  asked: {
    readonly weights: number;
    readonly activations: number;
    readonly layerBits?: ReadonlyMap<string, LayerBitsOption>;
  },
): Map<Layer, LayerBits> {
  const shares = cumulativeShares(layers);
  return new Map(
    layers.map((layer) => {
      const rule = policy.rules.find(({ when }) => matches(when, layer, shares.get(layer)!));
      const weights = Math.max(asked.weights, rule?.weights ?? 0);
      const activations = Math.max(asked.activations, rule?.activations ?? 0);
      const own = asked.layerBits?.get(layerName(layer));
      if (own) return [layer, { weights, activations, ...own, reason: null }];
      const changed = weights !== asked.weights || activations !== asked.activations;
      return [layer, { weights, activations, reason: changed ? rule!.reason : null }];
    }),
  );
}

/** For each layer, the share of all weights that it and all smaller layers hold. */
function cumulativeShares(layers: readonly Layer[]): Map<Layer, number> {
  const sizeOf = (layer: Layer): number => constantSize(layer.weight.constant!);
  const total = layers.reduce((sum, layer) => sum + sizeOf(layer), 0);
  const shares = new Map<Layer, number>();
  let held = 0;
  for (const layer of [...layers].sort((a, b) => sizeOf(a) - sizeOf(b))) {
    held += sizeOf(layer);
    shares.set(layer, held / total);
  }
  return shares;
}

function matches(when: PolicyRule["when"], layer: Layer, share: number): boolean {
  if (when.first !== undefined && layer.isFirst !== when.first) return false;
  if (when.classifier !== undefined && layer.isClassifier !== when.classifier) return false;
  if (when.smallestShare !== undefined && share > when.smallestShare) return false;
  return when.kinds === undefined || when.kinds.includes(layer.kind);
}
