import { mlp } from "./mlp.ts";

/** Half a millisecond of work: shows what a side costs per step besides arithmetic. */
export const mlp256 = mlp("mlp-256", [784, 256, 10], 64);
