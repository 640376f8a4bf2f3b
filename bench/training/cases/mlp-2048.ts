import { mlp } from "./mlp.ts";

/** Large matrix products: shows how close a side comes to the machine's GEMM peak. */
export const mlp2048 = mlp("mlp-2048", [784, 2048, 2048, 10], 512);
