/** Vectors for symbols. */
import type { Initializer, Layer } from "../build/index.ts";
import { DTypeError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import { assertCount, layerLabel } from "./check-input.ts";
import { normal } from "./initializers.ts";

/** How an embedding is made. */
export interface EmbeddingOptions {
  /** How many symbols there are. */
  readonly count: number;
  /** Length of a symbol's vector. */
  readonly features: number;
  /** What the vectors start with. Default: standard normal numbers. */
  readonly weight?: Initializer | Tensor;
}

/**
 * Takes the vector of each symbol: row x of a table.
 *
 * Shapes: x [...batch], int64 or int32 in [0, count) -> y [...batch, features]; `weight` [count, features]: torch.nn.Embedding.
 * ONNX counts negative numbers from the end, where PyTorch refuses them.
 *
 * @throws OptionError if a number is out of range.
 * @throws DTypeError when built, if x holds no integers.
 * @example
 * const words = nn.embedding({ count: 10_000, features: 128 });
 */
export function embedding({ count, features, weight = normal() }: EmbeddingOptions): Layer {
  assertCount(count, "count", "embedding");
  assertCount(features, "features", "embedding");
  return (x, scope) => {
    if (x.dtype !== "int64" && x.dtype !== "int32") {
      throw new DTypeError(
        `${layerLabel("embedding", scope)}: input must be int64 or int32, got ${x.dtype}. Convert it with cast.`,
      );
    }
    return scope.ops.gather(scope.parameter("weight", [count, features], weight), x);
  };
}
