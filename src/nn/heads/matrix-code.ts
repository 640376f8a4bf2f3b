/** A given matrix as directions of classes. */
import { ShapeError } from "../../errors.ts";
import { type Tensor, toNumbers } from "../../tensor/index.ts";
import { zeros } from "../initializers.ts";
import type { ClassCode } from "./class-code.ts";

/**
 * Returns a code whose directions are the rows of a matrix [classes, features]: embeddings of words, or what another network learned. Rows
 * are taken as they are.
 *
 * A learned scale starts at 10, biases at 0.
 *
 * @throws ShapeError when built, if the matrix is not [classes, features] of the head.
 * @example
 * const words = nn.mutualInformationEmbedding([0, 1, 2, 1, 0], { count: 3, features: 2 });
 * nn.fixedHead({ code: nn.matrixCode(words) });
 */
export function matrixCode(matrix: Tensor): ClassCode {
  return {
    name: "matrix",
    initialScale: () => 10,
    initialBias: zeros,
    prototypes: (classes, features) => {
      if (matrix.shape.join() !== `${classes},${features}`) {
        throw new ShapeError(
          `matrixCode: the matrix must be [classes, features], here [${classes}, ${features}], got [${matrix.shape.join(", ")}].`,
        );
      }
      return { matrix: () => toNumbers(matrix) };
    },
  };
}
