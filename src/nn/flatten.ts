/** From maps to vectors. */
import type { Layer } from "../build/index.ts";
import { assertLeastRank, layerLabel } from "./check-input.ts";

/**
 * Makes one axis of all axes but the first.
 *
 * Shapes: x [batch, ...features] -> y [batch, product of features].
 *
 * @throws ShapeError when built, if x is a scalar.
 * @example
 * const perceptron = nn.sequential([nn.flatten(), nn.linear(256), nn.relu(), nn.linear(10)]);
 */
export function flatten(): Layer {
  return (x, scope) => {
    assertLeastRank(x, 1, "[batch, ...features]", layerLabel("flatten", scope));
    return scope.ops.emit("Flatten", [x], { axis: 1 });
  };
}
