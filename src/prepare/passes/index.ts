/** The preparation passes, in the order they run. A new pass is registered here. */
import type { Pass } from "../pass.ts";
import { constantNodes } from "./constant-nodes.ts";
import { dropPoolDilations } from "./drop-pool-dilations.ts";
import { expandPadAxes } from "./expand-pad-axes.ts";
import { foldAffine } from "./fold-affine.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import { foldConstants } from "./fold-constants.ts";
import { foldPad } from "./fold-pad.ts";
import { freezeDefaults } from "./freeze-defaults.ts";
import { inlineBranches } from "./inline-branches.ts";
import { matmulToGemm } from "./matmul-to-gemm.ts";
import { mergeConstants } from "./merge-constants.ts";
import { normalizeGemm } from "./normalize-gemm.ts";
import { removeDeadNodes } from "./remove-dead-nodes.ts";
import { removeNoOps } from "./remove-no-ops.ts";

/** First what makes constants visible, then what uses them, then what tidies up. */
export const passes: readonly Pass[] = [
  freezeDefaults,
  constantNodes,
  removeNoOps,
  foldConstants,
  inlineBranches,
  matmulToGemm,
  foldBatchNorm,
  foldAffine,
  normalizeGemm,
  dropPoolDilations,
  expandPadAxes,
  foldPad,
  removeDeadNodes,
  mergeConstants,
];
