/** Layers one after the other. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";

/**
 * Passes x through the layers in their order. Each is a child of the scope, under its index or key: the weight of the second
 * layer of a list is `1.weight`.
 *
 * @throws OptionError if a key is a whole number, which JavaScript would move to the front, or has a dot in it.
 * @example
 * const classifier = nn.sequential({
 *   stem: nn.sequential([nn.conv({ channels: 16, kernel: 3, padding: "same" }), nn.batchNorm(), nn.relu()]),
 *   pool: nn.globalAveragePool(),
 *   head: nn.linear(10),
 * });
 */
export function sequential(layers: readonly Layer[] | Readonly<Record<string, Layer>>): Layer {
  const isList = Array.isArray(layers);
  const entries: readonly (readonly [string, Layer])[] = Object.entries(layers);
  const wrong = entries.find(([key]) => !isList && /^\d+$|^$|\./.test(key));
  if (wrong) {
    throw new OptionError(
      `sequential: keys must be names without dots and not numbers, got "${wrong[0]}". Give a list, or other names.`,
    );
  }
  return (x, scope) => entries.reduce((value, [key, layer]) => scope.tap(key, layer(value, scope.child(key))), x);
}
