/** The list of all lowerings: the one place where one is registered. */
import { batchNorm } from "./batch-normalization.ts";
import { bitShift } from "./bit-shift.ts";
import { channelForms } from "./channel-forms.ts";
import { conv } from "./conv.ts";
import { chosenForms } from "./forms/choose-form.ts";
import type { Lowering } from "./lowering.ts";
import { marks } from "./marks.ts";
import { pool } from "./pool.ts";
import { quantization } from "./quantized.ts";
import { scatter } from "./scatter.ts";

/** Lowerings by operator; those of other domains are written `domain:Operator`. */
export const lowerings: Readonly<Record<string, Lowering>> = {
  ...marks,
  ...conv,
  ...chosenForms,
  ...pool,
  ...batchNorm,
  ...bitShift,
  ...quantization,
  ...scatter,
  ...channelForms,
};
