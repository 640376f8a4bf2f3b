import type { Layer } from "../../../src/build/index.ts";
import { nn } from "../../../src/index.ts";

/** Linear layers with ReLU between them, `layers.<i>`. */
export function mlp(widths: readonly number[]): Layer {
  const relu = nn.relu();
  return (x, scope) => {
    const layers = scope.child("layers");
    return widths.reduce((value, width, i) => {
      const y = nn.linear(width)(value, layers.child(i));
      return i < widths.length - 1 ? relu(y, scope) : y;
    }, x);
  };
}
