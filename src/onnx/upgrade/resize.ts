/** Rules for Upsample, which became Resize, and for Resize. */
import { Node, type Value } from "../../program/index.ts";
import { float32, toNumbers } from "../../tensor/index.ts";
import { constantInput, setInput, type UpgradeContext, type UpgradeRule } from "./upgrade-rule.ts";

/** Upsample 7: `height_scale` and `width_scale` of pictures became `scales`, one an axis. */
export const upsampleScalesPerAxis: UpgradeRule = (node) => {
  const scales = [1, 1, node.float("height_scale", 1), node.float("width_scale", 1)];
  node.attributes.delete("height_scale");
  node.attributes.delete("width_scale");
  node.attributes.set("scales", { kind: "floats", value: scales });
  return undefined;
};

/** Upsample 9: `scales` became an input. */
export const upsampleScalesToInput: UpgradeRule = (node, context) => {
  const scales = node.attributes.get("scales");
  if (scales?.kind !== "floats") context.refuse(node, "it must have the attribute scales, got none");
  else setInput(node, 1, constantInput(node, "scales", float32([scales.value.length], scales.value)));
  node.attributes.delete("scales");
  return undefined;
};

/** Upsample 10: replaced by Resize, which then meant the same. */
export const upsampleToResize: UpgradeRule = (node) => {
  const resize = new Node("Resize", node.inputs, node.outputs, { name: node.name });
  for (const [name, attribute] of node.attributes) resize.attributes.set(name, attribute);
  resize.extras = node.extras;
  return [resize];
};

/**
 * Resize 11: a region of interest came before the scales, and attributes say how coordinates are mapped. Before, the
 * coordinate was divided by the scale; the nearest element was the one below, and when shrinking the one above (ONNX left
 * it open; this is what ONNX Runtime does). Scales that are not constant are taken to enlarge.
 */
export const resizeCoordinates: UpgradeRule = (node, context) => {
  const scales = node.inputs[1];
  node.inputs[1] = constantInput(node, "roi", float32([0], []));
  node.inputs[2] = scales;
  node.set("coordinate_transformation_mode", "asymmetric");
  if (node.string("mode", "nearest") === "nearest") node.set("nearest_mode", nearestMode(node, scales, context));
  return undefined;
};

function nearestMode(node: Node, scales: Value | undefined, context: UpgradeContext): "floor" | "ceil" {
  const factors = scales?.constant ? [...toNumbers(scales.constant.load())] : [];
  // Shrinking by a whole number hits elements exactly, so that either way of rounding will do.
  const shrinks = factors.some((factor) => factor < 1 && !Number.isInteger(1 / factor));
  if (shrinks && factors.some((factor) => factor > 1)) {
    context.refuse(node, `it must enlarge or shrink, not both, got scales ${factors.join(", ")}`);
  }
  return shrinks ? "ceil" : "floor";
}

/** Resize 13: the mode tf_half_pixel_for_nn was dropped. */
export const resizeWithoutTensorFlowMode: UpgradeRule = (node, context) => {
  if (node.string("coordinate_transformation_mode", "") === "tf_half_pixel_for_nn") {
    context.refuse(node, "the mode tf_half_pixel_for_nn must not be used: it ended with opset 12");
  }
  return undefined;
};

/** GridSample 20: its modes took the names that Resize uses. */
export const gridSampleModes: UpgradeRule = (node) => {
  const mode = node.string("mode", "bilinear");
  if (mode === "bilinear") node.set("mode", "linear");
  if (mode === "bicubic") node.set("mode", "cubic");
  return undefined;
};
