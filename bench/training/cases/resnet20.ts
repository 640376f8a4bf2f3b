import { residualNetwork } from "./residual-network.ts";

/** Few channels: convolutions bound by memory and by everything between them. */
export const resnet20 = residualNetwork("resnet20", [16, 32, 64], 3, 128);
