/**
 * What one benchmark case asks of every side: the same parameters, the same batches, the same step.
 *
 * A case is plain data, so that it can be handed to a program in any language. How each side writes the model down is its
 * own affair (`ours.ts`, `../peers/`); that they compute the same is checked on the losses.
 */

export type CaseName = "mlp-2048" | "mlp-256" | "resnet20" | "resnet18" | "transformer";

/** One trained tensor, in PyTorch's layout: linear [out, in], convolution [out, in, height, width]. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: { readonly deviation: number } | { readonly constant: number };
}

/** One batch of inputs, without the batch axis. */
export type InputSpec =
  | { readonly kind: "numbers"; readonly shape: readonly number[] }
  | { readonly kind: "tokens"; readonly length: number; readonly vocabulary: number };

/** One model, batch and loss to train; the loss is always the mean cross-entropy over `classes`. */
export interface TrainingCase {
  readonly name: CaseName;
  readonly description: string;
  readonly batch: number;
  readonly input: InputSpec;
  readonly classes: number;
  readonly parameters: readonly ParameterSpec[];
  /** Multiply-accumulates of linear layers, convolutions and attention in one forward pass over one batch. */
  readonly forwardMacs: number;
}

/** SGD of every case: v = momentum v + gradient, w = w - learningRate v, as PyTorch defines it. */
export const OPTIMIZER = { learningRate: 0.01, momentum: 0.9 } as const;

/**
 * Floating-point operations of one training step: forward, gradient of the inputs and gradient of the weights cost the same
 * number of products each, and a multiply-accumulate is two operations.
 */
export function stepFlops(one: TrainingCase): number {
  return 3 * 2 * one.forwardMacs;
}

/** A linear layer's weight [out, in], drawn as He et al. 2015 for a ReLU behind it, and its bias. */
export function linear(
  name: string,
  inFeatures: number,
  outFeatures: number,
  deviation: number = Math.sqrt(2 / inFeatures),
): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [outFeatures, inFeatures], initial: { deviation } },
    { name: `${name}.bias`, shape: [outFeatures], initial: { constant: 0 } },
  ];
}

/** Scale and shift of a normalization. */
export function normalization(name: string, channels: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [channels], initial: { constant: 1 } },
    { name: `${name}.bias`, shape: [channels], initial: { constant: 0 } },
  ];
}
