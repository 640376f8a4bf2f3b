/** Embeddings as ONNX Runtime's optimizer writes them. */
import { int64 } from "../../tensor/index.ts";
import type { Decomposition } from "./decomposition.ts";

/** ONNX Runtime's default. */
const EPSILON = 1e-12;

/**
 * EmbedLayerNormalization: (token ids [batch, length], segment ids, embeddings of tokens, positions and segments, scale, shift,
 * mask, position ids) -> the normalized sum of embeddings, how long each sequence is (which has no gradient), the sum.
 */
const embedLayerNormalization: Decomposition = (node, ops) => {
  const [tokens, segments] = [node.input(0), node.inputs[1]];
  const length = ops.shapeOf(tokens)[1]!;
  const inOrder = int64(
    Array.from({ length }, (_, position) => position),
    [1, length],
  );
  const positions = node.inputs[8] ?? ops.constant(inOrder);
  const places = ops.add(ops.gather(node.input(2), tokens), ops.gather(node.input(3), positions));
  const sum = segments ? ops.add(places, ops.gather(node.input(4), segments)) : places;
  const attributes = { axis: -1, epsilon: { float: node.float("epsilon", EPSILON) } };
  return [ops.emit("LayerNormalization", [sum, node.input(5), node.input(6)], attributes), undefined, sum];
};

/** Embeddings. */
export const embeddings: Readonly<Record<string, Decomposition>> = {
  "com.microsoft:EmbedLayerNormalization": embedLayerNormalization,
};
