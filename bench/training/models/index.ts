/** The cases as Modicum writes them. */
import type { Layer } from "../../../src/build/index.ts";
import type { CaseName } from "../cases/case.ts";
import { mlp } from "./mlp.ts";
import { residualNetwork } from "./residual-network.ts";
import { transformer } from "./transformer.ts";

export const MODELS: Readonly<Record<CaseName, Layer>> = {
  "mlp-2048": mlp([2048, 2048, 10]),
  "mlp-256": mlp([256, 10]),
  resnet20: residualNetwork([16, 32, 64], 3, 10),
  resnet18: residualNetwork([64, 128, 256, 512], 2, 10),
  transformer: transformer(10),
};
