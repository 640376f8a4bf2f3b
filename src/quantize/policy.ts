/** Layer policies: which layers and tensors keep more bits than was asked for. Data, not code. */
import type { Layer } from "../prepare/index.ts";

/** One exception to the bits asked for. The first rule that matches a layer wins. */
export interface PolicyRule {
  /** All that is given must hold. */
  readonly when: {
    readonly first?: boolean;
    readonly classifier?: boolean;
    readonly kinds?: readonly Layer["kind"][];
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
  /** Whether residual sums are quantized again before the next layer reads them. Always so in deployable models. */
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

/** The paper's, and 8-bit depthwise kernels: they are a few percent of the bytes and most of the damage at 4 bits. */
const deploy: LayerPolicy = {
  name: "deploy",
  summary: "as paper, and depthwise convolutions at 8 bits",
  rules: [
    FIRST_LAYER,
    CLASSIFIER,
    { when: { kinds: ["depthwise-conv"] }, weights: 8, reason: "depthwise kernels keep 8 bits" },
  ],
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
  quantizeSums: true,
  poolBits: 0,
};

/** Every layer policy by name. */
export const layerPolicies: Readonly<Record<string, LayerPolicy>> = { paper, deploy, uniform };

/** Bits of one layer. */
export interface LayerBits {
  readonly weights: number;
  readonly activations: number;
  readonly reason: string | null;
}

/** Returns the bits a policy gives a layer when `weights` and `activations` are asked for. */
export function layerBits(
  policy: LayerPolicy,
  layer: Layer,
  asked: { weights: number; activations: number },
): LayerBits {
  const rule = policy.rules.find(({ when }) => matches(when, layer));
  if (!rule) return { ...asked, reason: null };
  const weights = Math.max(asked.weights, rule.weights ?? 0);
  const activations = Math.max(asked.activations, rule.activations ?? 0);
  const changed = weights !== asked.weights || activations !== asked.activations;
  return { weights, activations, reason: changed ? rule.reason : null };
}

function matches(when: PolicyRule["when"], layer: Layer): boolean {
  if (when.first !== undefined && layer.isFirst !== when.first) return false;
  if (when.classifier !== undefined && layer.isClassifier !== when.classifier) return false;
  return when.kinds === undefined || when.kinds.includes(layer.kind);
}
