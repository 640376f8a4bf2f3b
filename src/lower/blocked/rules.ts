/** The list of all rules for blocked layout: the one place where one is registered. */
import type { BlockedRule } from "./blocked-rule.ts";
import { batchNormalizations } from "./rules/batch-normalization.ts";
import { convolution } from "./rules/convolution.ts";
import { elementAccess } from "./rules/element-access.ts";
import { elementwise } from "./rules/elementwise.ts";
import { pooling } from "./rules/pooling.ts";
import { quantization } from "./rules/quantized.ts";
import { weightGradients } from "./rules/weight-gradient.ts";

/** Rules by operator; those of other domains are written `domain:Operator`. */
export const blockedRules: Readonly<Record<string, BlockedRule>> = {
  ...elementwise,
  ...convolution,
  ...weightGradients,
  ...batchNormalizations,
  ...pooling,
  ...elementAccess,
  ...quantization,
};
