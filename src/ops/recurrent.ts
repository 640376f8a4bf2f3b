/** Recurrent layers. */
import { type Node, type Shape, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { assertRank, shapeMismatch } from "./shape-check.ts";

/** Shapes: X [time, batch, in], W [directions, gates * hidden, in] -> Y [time, directions, batch, hidden], last states. */
function inferRecurrent(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  const [w, r] = [context.input(1).shape, context.input(2).shape];
  assertRank(node, "X", x, 3);
  assertRank(node, "W", w, 3);
  if (node.domain === "" && x && w && dimensionsDiffer(x[2]!, w[2]!))
    throw shapeMismatch(node, "the last axes of X and W must be equal", x, w);
  const hidden = node.int("hidden_size") ?? (node.domain === "" ? (r?.[2] ?? null) : null);
  const directions = node.string("direction", "forward") === "bidirectional" ? 2 : 1;
  const batchFirst = node.int("layout", 0) === 1;
  const [time, batch] = batchFirst ? [x?.[1] ?? null, x?.[0] ?? null] : [x?.[0] ?? null, x?.[1] ?? null];
  const y: Shape = batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden];
  const last: Fact = { dtype, shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden] };
  return [{ dtype, shape: y }, last, last];
}

/** Each step of each sequence multiplies by all of W and R. */
function countRecurrent(node: Node): number | undefined {
  const x = staticShape(node.input(0));
  const w = staticShape(node.input(1));
  const r = staticShape(node.input(2));
  return x && w && r && x[0]! * x[1]! * (elementCount(w) + elementCount(r));
}

/** RNN, GRU, LSTM. */
export const recurrent: readonly Operator[] = [
  ...family(["GRU", "LSTM", "RNN"], { infer: inferRecurrent, macs: countRecurrent }),
  ...family(["DynamicQuantizeLSTM"], { domain: MICROSOFT, infer: inferRecurrent, macs: countRecurrent }),
];
