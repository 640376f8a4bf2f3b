/** The last layer of a recipe's network. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import type { Recipe } from "./recipe.ts";

/** Returns what makes the last layer from the number of classes. */
export function headOf(recipe: NonNullable<Recipe["model"]["head"]>): (classes: number) => Layer {
  if (recipe.kind === "linear") return nn.linear;
  const { bias, scale = "learned" } = recipe;
  switch (recipe.kind) {
    case "cosine":
      return nn.cosineHead({ scale, bias });
    case "hadamard": {
      const { row0, wide, minus } = recipe;
      return nn.fixedHead({ code: nn.hadamardCode({ row0, wide }), scale, bias, minus });
    }
    case "orthogonal":
      return nn.fixedHead({ code: nn.orthogonalCode(recipe), scale, bias });
    case "simplex":
      return nn.fixedHead({ code: nn.simplexCode(recipe), scale, bias });
    case "spread":
      return nn.fixedHead({ code: nn.spreadCode(recipe), scale, bias });
  }
}
