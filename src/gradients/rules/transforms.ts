/** Gradients of Fourier transforms and of fused embeddings. */
import type { GradientRule } from "../../build/index.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** A Fourier transform is a linear map. */
export const fouriers: Readonly<Record<string, GradientRule>> = {
  DFT: throughDecomposition,
  STFT: throughDecomposition,
};

/** Rows of tables, added up and normalized. */
export const embeddings: Readonly<Record<string, GradientRule>> = {
  "com.microsoft:EmbedLayerNormalization": throughDecomposition,
};
