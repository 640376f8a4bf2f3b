/** A classifier by cosines, whose directions are learned. */
import type { Layer } from "../../build/index.ts";
import { OptionError } from "../../errors.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel } from "../check-input.ts";
import { inverseRootUniform } from "../fan-initializers.ts";
import { constant, zeros } from "../initializers.ts";
import { project } from "../linear.ts";
import { LOGITS } from "./fixed-head.ts";
import { normalizeFeatures } from "./normalize-features.ts";

/** How a cosine head is made. */
export interface CosineHeadOptions {
  /** alpha: one learned number that starts at 10, or a constant above 0. Default "learned". */
  readonly scale?: "learned" | number;
  /** Whether a bias is added, which starts at 0. Default true. */
  readonly bias?: boolean;
  /** Added to the length of features and of rows. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * Makes heads that compare directions: y = alpha w x / (||w|| ||x||) + bias for each row w of a learned matrix. `fixedHead` with a learned
 * matrix, for comparison.
 *
 * Shapes: x [...batch, features] -> y [...batch, classes]; `weight` [classes, features], `logits.scale` [], `logits.bias` [classes].
 *
 * @returns A function from the number of classes to the layer: the option `head` of models.
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has fewer than two axes or the length of the last one is not known.
 * @see Gidaris, Komodakis 2018, "Dynamic few-shot visual learning without forgetting", arXiv:1804.09458
 * @example
 * const classifier = nn.sequential([nn.linear(64), nn.relu(), nn.cosineHead()(10)]);
 */
export function cosineHead(options: CosineHeadOptions = {}): (classes: number) => Layer {
  const { scale = "learned", bias = true, epsilon = 1e-8 } = options;
  for (const [option, number] of Object.entries({ scale, epsilon })) {
    if (typeof number === "number" && !(number > 0 && number < Number.POSITIVE_INFINITY)) {
      throw new OptionError(`cosineHead: ${option} must be above 0, got ${number}.`);
    }
  }
  return (classes) => {
    assertCount(classes, "classes", "cosineHead");
    return (x, scope) => {
      const { ops } = scope;
      const label = layerLabel("cosineHead", scope);
      assertLeastRank(x, 2, "[...batch, features]", label);
      const features = knownLength(x, -1, "features", label);
      const own = scope.child(LOGITS);
      const weight = scope.parameter("weight", [classes, features], inverseRootUniform(features));
      const alpha = scale === "learned" ? own.parameter("scale", [], constant(10)) : scale;
      const scaled = ops.mul(normalizeFeatures(ops, x, epsilon), alpha);
      const shift = bias ? own.parameter("bias", [classes], zeros()) : undefined;
      return project(ops, scaled, normalizeFeatures(ops, weight, epsilon), shift);
    };
  };
}
