/** Gradients of attention and rotary embeddings. */
import type { GradientRule } from "../../build/index.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** Scores are computed again in the gradient: the operators do not give them out. */
export const attentions: Readonly<Record<string, GradientRule>> = {
  Attention: throughDecomposition,
  "com.microsoft:MultiHeadAttention": throughDecomposition,
  "com.microsoft:Attention": throughDecomposition,
  RotaryEmbedding: throughDecomposition,
  "com.microsoft:RotaryEmbedding": throughDecomposition,
};
