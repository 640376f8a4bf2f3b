/** Layers: the nodes of a program that have weights, and what surrounds them. */
import type { Node, Value } from "../../program/index.ts";
import type { Activation } from "./activation.ts";

/** What a layer does with its weights. */
export type LayerKind =
  | "conv" | "depthwise-conv" | "conv-transpose" | "gemm" | "matmul" | "embedding" | "recurrent"; // biome-ignore format: a table

/** One use of weights by one node, with what a quantizer has to know about it. */
export interface Layer {
  readonly node: Node;
  readonly kind: LayerKind;
  /** Why it cannot be quantized; undefined when it can. With a reason, axes and the like are only as good as is known. */
  readonly reason: string | undefined;
  /** The weights: `node.inputs[weightIndex]`. */
  readonly weight: Value;
  readonly weightIndex: number;
  /** Uses of the weights by other nodes that are layers too (tied embeddings): quantize once, or copy. */
  readonly sharesWeight: boolean;
  /**
   * The axis of the weights along which output channels lie, for scales per channel: 0 for Conv, 1 for ConvTranspose
   * (channel c of group g is number `g * shape[1] + c`), the rows for an embedding table.
   */
  readonly outputChannelAxis: number;
  /** The axis of the weights that the products are summed over; for an embedding, the axis of its features. */
  readonly inputChannelAxis: number;
  /** Groups of a convolution, 1 elsewhere. */
  readonly groups: number;
  /** Axes a convolution moves along: 1, 2 or 3; 0 for layers that are not convolutions. */
  readonly spatialRank: number;
  /** The bias, constant or not: an input of the node, or what the Add after a MatMul adds. */
  readonly bias: Value | undefined;
  /** The Add that adds the bias when the node itself does not. */
  readonly biasNode: Node | undefined;
  /** The activations that go in: indices for an embedding, the sequence for a recurrent layer. */
  readonly input: Value;
  /** What comes out of node and bias, before any activation function. */
  readonly output: Value;
  /** The activation function that follows and that nothing else sees the input of. */
  readonly activation: Activation;
  /** What comes out of the activation function; `output` when there is none. */
  readonly result: Value;
  /** Whether the result is never negative: quantize its range from 0 on (ACIQ section 3). */
  readonly side: "one-sided" | "two-sided";
  /** Whether the result is added to another activation, as at the end of a residual block. */
  readonly feedsResidualAdd: boolean;
  /** Whether the layer reads the program's inputs without another layer between. */
  readonly isFirst: boolean;
  /** Whether no other layer comes after it. */
  readonly isLast: boolean;
  /** Whether it is last and gives scores of classes: a Gemm or MatMul, or a convolution averaged or flattened after. */
  readonly isClassifier: boolean;
}
