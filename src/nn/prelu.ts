/** The activation whose slope is learnt. */
import type { Layer } from "../build/index.ts";
import { assertLeastRank, knownLength, layerLabel } from "./check-input.ts";
import { constant } from "./initializers.ts";

/** How a prelu is made. */
export interface PreluOptions {
  /** One slope for each channel (axis 1), or one for all. Default "all", as in PyTorch. */
  readonly slopes?: "all" | "channels";
  /** What slopes start with. Default 0.25. */
  readonly start?: number;
}

/**
 * x where it is positive, else `weight` x, with a weight that is trained.
 *
 * Shapes: x [batch, channels, ...spatial] -> y as x; `weight` [1] or [channels]: torch.nn.PReLU.
 *
 * @throws ShapeError when built, if x has no channels and there is a slope for each.
 * @see He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852
 * @example
 * nn.prelu({ slopes: "channels" });
 */
export function prelu({ slopes = "all", start = 0.25 }: PreluOptions = {}): Layer {
  return (x, scope) => {
    const label = layerLabel("prelu", scope);
    if (slopes === "all") return scope.ops.emit("PRelu", [x, scope.parameter("weight", [1], constant(start))]);
    assertLeastRank(x, 2, "[batch, channels, ...spatial]", label);
    const channels = knownLength(x, 1, "channels", label);
    const weight = scope.parameter("weight", [channels], constant(start));
    const places = new Array<number>(x.shape!.length - 2).fill(1);
    return scope.ops.emit("PRelu", [x, scope.ops.reshape(weight, [channels, ...places])]);
  };
}
