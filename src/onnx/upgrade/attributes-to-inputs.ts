/** Rules for operators whose attributes became inputs, so that they may be computed. */

import type { Node } from "../../program/index.ts";
import { int64, type Tensor } from "../../tensor/index.ts";
import { constantInput, scalarLike, setInput, type UpgradeContext, type UpgradeRule } from "./upgrade-rule.ts";

/** Squeeze, Unsqueeze and the reductions: `axes`. Without the attribute they already mean the same (all axes). */
export const axesToInput: UpgradeRule = (node) => {
  const axes = node.ints("axes");
  node.attributes.delete("axes");
  if (axes && axes.length > 0) setInput(node, 1, constantInput(node, "axes", int64(axes)));
  return undefined;
};

/** Clip 11: `min` and `max`, of the input's type. */
export const clipBoundsToInputs: UpgradeRule = (node, context) => {
  floatToInput(node, "min", 1, context);
  floatToInput(node, "max", 2, context);
  return undefined;
};

/** Pad 11: `pads` and `value`. */
export const padsToInput: UpgradeRule = (node, context) => {
  const pads = node.ints("pads");
  if (!pads) context.refuse(node, "it must have the attribute pads, got none");
  else setInput(node, 1, constantInput(node, "pads", int64(pads)));
  node.attributes.delete("pads");
  floatToInput(node, "value", 2, context);
  return undefined;
};

/** Slice 10: `starts`, `ends` and `axes`. */
export const sliceToInputs: UpgradeRule = (node, context) => {
  ["starts", "ends", "axes"].forEach((name, index) => {
    const attribute = node.attributes.get(name);
    if (attribute?.kind === "ints") {
      // As bigint: INT64_MAX stands for "to the end".
      const tensor = bigInts(attribute.value);
      setInput(node, index + 1, constantInput(node, name, tensor));
    } else if (name !== "axes") context.refuse(node, `it must have the attribute ${name}, got none`);
    node.attributes.delete(name);
  });
  return undefined;
};

/** TopK 10: `k`. */
export const topKToInput: UpgradeRule = (node, context) => {
  const k = node.int("k");
  if (k === undefined) context.refuse(node, "it must have the attribute k, got none");
  else setInput(node, 1, constantInput(node, "k", int64([k])));
  node.attributes.delete("k");
  return undefined;
};

/** Split 13: `split`. */
export const splitToInput: UpgradeRule = (node) => {
  const lengths = node.ints("split");
  node.attributes.delete("split");
  if (lengths && lengths.length > 0) setInput(node, 1, constantInput(node, "split", int64(lengths)));
  return undefined;
};

/** Split 18: the number of equal parts must be said. */
export const splitCount: UpgradeRule = (node) => {
  if (!node.inputs[1]) node.set("num_outputs", node.outputs.length);
  return undefined;
};

/** Dropout 12: `ratio`; it stays in inference mode, where it passes its input on. There the mask was false, now it is true. */
export const dropoutToInput: UpgradeRule = (node, context) => {
  if (node.outputs[1]) context.refuse(node, "its mask must not be used: it meant something else before opset 12");
  if (!node.attributes.has("ratio")) node.set("ratio", { float: 0.5 });
  floatToInput(node, "ratio", 1, context);
  return undefined;
};

/** DFT 20: `axis`, counted from 1 for the batch axis by default, before. */
export const dftAxisToInput: UpgradeRule = (node) => {
  setInput(node, 2, constantInput(node, "axis", int64([node.int("axis", 1)], [])));
  node.attributes.delete("axis");
  return undefined;
};

/** Reshape 5: `shape`. */
export const reshapeToInput: UpgradeRule = (node, context) => {
  const shape = node.ints("shape");
  if (!shape) context.refuse(node, "it must have the attribute shape, got none");
  else setInput(node, 1, constantInput(node, "shape", int64(shape)));
  node.attributes.delete("shape");
  return undefined;
};

function floatToInput(node: Node, name: string, index: number, context: UpgradeContext): void {
  const attribute = node.attributes.get(name);
  if (attribute?.kind !== "float") return;
  const tensor = scalarLike(node, attribute.value, context);
  if (tensor) setInput(node, index, constantInput(node, name, tensor));
  node.attributes.delete(name);
}

function bigInts(values: readonly bigint[]): Tensor {
  const tensor = int64(values.map(() => 0));
  (tensor.data as BigInt64Array).set(values);
  return tensor;
}
