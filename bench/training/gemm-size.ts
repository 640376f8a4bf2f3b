/** Rows and columns of the matrices whose product is the floor. */
export const GEMM_SIZE = 2048;

/** Floating-point operations of that product. */
export const GEMM_FLOPS = 2 * GEMM_SIZE ** 3;
