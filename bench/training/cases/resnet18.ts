import { residualNetwork } from "./residual-network.ts";

/** Many channels: convolutions bound by arithmetic. */
export const resnet18 = residualNetwork("resnet18", [64, 128, 256, 512], 2, 128);
