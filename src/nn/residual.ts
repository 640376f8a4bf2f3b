/** Layers whose input is added to their result. */
import type { Layer } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import { layerLabel, shownShape } from "./check-input.ts";

/**
 * Returns body(x) + x, or body(x) + shortcut(x) where the body changes the shape. The two are the children `body` and
 * `shortcut` of the scope.
 *
 * @throws ShapeError when built, if the two shapes differ.
 * @see He, Zhang, Ren, Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385
 * @example
 * const block = nn.residual(
 *   nn.sequential([nn.conv({ channels: 32, kernel: 3, stride: 2, padding: 1 }), nn.batchNorm()]),
 *   nn.conv({ channels: 32, kernel: 1, stride: 2 }),
 * );
 */
export function residual(body: Layer, shortcut?: Layer): Layer {
  return (x, scope) => {
    const y = body(x, scope.child("body"));
    const skipped = shortcut ? shortcut(x, scope.child("shortcut")) : x;
    if (shownShape(y) !== shownShape(skipped)) {
      const name = shortcut ? "shortcut" : "input";
      throw new ShapeError(
        `${layerLabel("residual", scope)}: body and ${name} must have one shape, got ${shownShape(y)} and ` +
          `${shownShape(skipped)}. Give a shortcut that changes the shape as the body does.`,
      );
    }
    return scope.ops.add(y, skipped);
  };
}
