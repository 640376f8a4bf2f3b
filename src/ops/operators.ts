/** The list of all operators: the one place where an operator is registered. */
import { attention } from "./attention.ts";
import { cast } from "./cast.ts";
import { classical } from "./classical.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { controlFlow } from "./control-flow.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import { depthToSpace } from "./depth-to-space.ts";
import { derived } from "./derived.ts";
import { einsum } from "./einsum.ts";
import { elementwiseBinary } from "./elementwise-binary.ts";
import { elementwiseUnary } from "./elementwise-unary.ts";
import { expand } from "./expand.ts";
import { gather } from "./gather.ts";
import { gatherElements } from "./gather-elements.ts";
import { gemm } from "./gemm.ts";
import { globalPool } from "./global-pool.ts";
import { matMul } from "./matmul.ts";
import { normalization } from "./normalization.ts";
import { oneHot } from "./one-hot.ts";
import type { Operator } from "./operator.ts";
import { pad } from "./pad.ts";
import { pool } from "./pool.ts";
import { quantize } from "./quantize.ts";
import { recurrent } from "./recurrent.ts";
import { reduce } from "./reduce.ts";
import { regionPool } from "./region-pool.ts";
import { reshape } from "./reshape.ts";
import { resize } from "./resize.ts";
import { select } from "./select.ts";
import { sequence } from "./sequence.ts";
import { shape } from "./shape.ts";
import { signal } from "./signal.ts";
import { slice } from "./slice.ts";
import { split } from "./split.ts";
import { strings } from "./strings.ts";
import { tile } from "./tile.ts";
import { topK } from "./top-k.ts";
import { training } from "./training.ts";
import { transpose } from "./transpose.ts";
import { unpool } from "./unpool.ts";
import { where } from "./where.ts";

/** Every operator Modicum knows, by the file its rules are in. */
export const operatorFamilies: Readonly<Record<string, readonly Operator[]>> = {
  "elementwise-unary": elementwiseUnary,
  "elementwise-binary": elementwiseBinary,
  where,
  cast,
  reduce,
  conv,
  "conv-transpose": convTranspose,
  pool,
  matmul: matMul,
  gemm,
  normalization,
  quantize,
  constant,
  shape,
  reshape,
  transpose,
  concat,
  slice,
  expand,
  gather,
  tile,
  pad,
  "one-hot": oneHot,
  "top-k": topK,
  "gather-elements": gatherElements,
  select,
  "global-pool": globalPool,
  "region-pool": regionPool,
  unpool,
  split,
  "depth-to-space": depthToSpace,
  resize,
  attention,
  recurrent,
  einsum,
  "control-flow": controlFlow,
  sequence,
  signal,
  training,
  strings,
  classical,
};

/** Every operator Modicum knows. */
export const operators: readonly Operator[] = Object.values(operatorFamilies).flat();

const BY_NAME: ReadonlyMap<string, Operator> = new Map(
  [...operators, ...derived].map((operator) => [`${operator.domain}:${operator.name}`, operator]),
);

/** Returns an operator's record, or undefined when Modicum knows nothing about it. */
export function findOperator(name: string, domain: string): Operator | undefined {
  return BY_NAME.get(`${domain}:${name}`);
}
