/** The last layer of a recipe's network. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import type { Recipe } from "./recipe.ts";

type Head = NonNullable<Recipe["model"]["head"]>;

/** Returns what makes the last layer from the number of classes. */
export function headOf(recipe: Head): (classes: number) => Layer {
  if (recipe.kind === "linear") return nn.linear;
  const { bias, scale = "learned" } = recipe;
  const minus = recipe.kind === "hadamard" && recipe.minus;
  const code = codeOf(recipe);
  return code ? nn.fixedHead({ code, scale, bias, minus }) : nn.cosineHead({ scale, bias });
}

/** Returns the directions of a fixed head; undefined for heads that are learned. */
export function codeOf(recipe: Head): nn.ClassCode | undefined {
  switch (recipe.kind) {
    case "linear":
    case "cosine":
      return undefined;
    case "hadamard":
      return nn.hadamardCode({ row0: recipe.row0, wide: recipe.wide });
    case "orthogonal":
      return nn.orthogonalCode(recipe);
    case "simplex":
      return nn.simplexCode(recipe);
    case "spread":
      return nn.spreadCode(recipe);
  }
}
