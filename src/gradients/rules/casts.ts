/** Gradients of conversions between element types of floats. (To integers there is no gradient: differentiation ends there.) */
import type { GradientRule } from "../../build/index.ts";

/** y = x in another type: dy in the type of x */
const cast: GradientRule = ({ node, ops, dy }) => [ops.cast(dy, node.input(0).dtype!)];

/** Conversions. */
export const casts: Readonly<Record<string, GradientRule>> = { Cast: cast, CastLike: cast };
