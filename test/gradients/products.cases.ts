/** Cases of matrix products. */
import type { Attributes } from "../../src/build/index.ts";
import { type GradientCase, normal } from "./gradient-case.ts";

function matMulCase(a: readonly number[], b: readonly number[], title: string): GradientCase {
  return {
    title: `MatMul ${title}`,
    covers: ["MatMul"],
    inputs: [normal(a), normal(b)],
    build: (ops, x, y) => ops.matMul(x, y),
    second: true,
  };
}

function gemmCase(
  attributes: Attributes & { readonly transA?: number; readonly transB?: number },
  bias: readonly number[] | undefined,
  title: string,
): GradientCase {
  const a = attributes.transA ? [4, 2] : [2, 4];
  const b = attributes.transB ? [3, 4] : [4, 3];
  return {
    title: `Gemm ${title}`,
    covers: ["Gemm"],
    inputs: [normal(a), normal(b), ...(bias ? [normal(bias)] : [])],
    build: (ops, ...operands) => ops.emit("Gemm", operands, attributes),
    second: true,
  };
}

function fusedCase(operator: string, attributes: Attributes, a: readonly number[], b: readonly number[]): GradientCase {
  return {
    title: `${operator} ${JSON.stringify(attributes)}`,
    covers: [`com.microsoft:${operator}`],
    inputs: [normal(a), normal(b)],
    build: (ops, x, y) => ops.emit(operator, [x, y], attributes, { domain: "com.microsoft" }),
  };
}

/** Matrix products. */
export const productCases: readonly GradientCase[] = [
  {
    ...matMulCase([2, 3], [3, 4], "of matrices"),
    // The sum of all elements of A B: row sums of B for each row of A, column sums of A for each column of B.
    closedForm: (a, b) => [
      a.map((_, i) => [0, 1, 2, 3].reduce((sum, n) => sum + b[(i % 3) * 4 + n]!, 0)),
      b.map((_, i) => a[Math.floor(i / 4)]! + a[Math.floor(i / 4) + 3]!),
    ],
  },
  matMulCase([3], [3], "of vectors"),
  matMulCase([3], [3, 2], "of a vector and a matrix"),
  matMulCase([2, 3], [3], "of a matrix and a vector"),
  matMulCase([3], [2, 3, 2], "of a vector and a batch"),
  matMulCase([2, 2, 3], [3], "of a batch and a vector"),
  matMulCase([2, 2, 3], [3, 2], "of a batch and one matrix"),
  matMulCase([2, 3], [2, 3, 2], "of one matrix and a batch"),
  matMulCase([2, 1, 2, 3], [3, 3, 2], "of batches that broadcast both ways"),
  matMulCase([1, 2, 3], [2, 3, 2], "of a batch of one and a batch of two"),
  matMulCase([2, 2, 3], [1, 3, 2], "of a batch of two and a batch of one"),
  gemmCase({}, undefined, "without C"),
  gemmCase({ transA: 1, alpha: 0.5 }, [3], "with A transposed, alpha and a row C"),
  gemmCase({ transB: 1, beta: { float: 2 } }, [2, 1], "with B transposed, beta and a column C"),
  gemmCase({ transA: 1, transB: 1, alpha: { float: 3 }, beta: -0.5 }, [2, 3], "with both transposed and a whole C"),
  gemmCase({ beta: { float: 2 } }, [], "with a scalar C"),
  fusedCase("FusedMatMul", { transA: 1, alpha: 0.5 }, [2, 3, 2], [3, 2]),
  fusedCase("FusedMatMul", { transB: 1 }, [2, 3], [2, 4, 3]),

  ...(
    [
      ["ij,jk->ik", [2, 3], [3, 2]],
      ["bij,bkj->bik", [2, 2, 3], [2, 2, 3]],
      ["ij,jk", [2, 3], [3, 2]],
      ["i,j->ij", [3], [2]],
      ["ij,ij->", [2, 3], [2, 3]],
      ["ijk,j->i", [2, 3, 2], [3]],
      ["ii,i->i", [3, 3], [3]],
      ["iij,kk->jk", [2, 2, 3], [2, 2]],
      ["...ij,...jk->...ik", [2, 2, 3], [2, 3, 2]],
      ["b...i,i->b...", [2, 3, 2], [2]],
      ["ij,ik->ij", [2, 3], [2, 2]],
      ["...j,jk", [2, 2, 3], [3, 2]],
    ] as const
  ).map(
    ([equation, a, b]): GradientCase => ({
      title: `Einsum ${equation}`,
      covers: ["Einsum"],
      inputs: [normal(a), normal(b)],
      build: (ops, x, y) => ops.einsum(equation, [x, y]),
      second: true,
    }),
  ),
  ...(["ij->ji", "ij->i", "ii->i", "ii->", "ij->", "ij"] as const).map(
    (equation): GradientCase => ({
      title: `Einsum of one operand ${equation}`,
      covers: ["Einsum"],
      inputs: [normal([3, 3])],
      build: (ops, x) => ops.einsum(equation, [ops.square(x)]),
      second: true,
    }),
  ),
  {
    title: "Einsum of three operands",
    covers: ["Einsum"],
    inputs: [normal([2, 3]), normal([3, 2]), normal([2, 2])],
    build: (ops, a, b, c) => ops.einsum("ij,jk,kl->il", [a, b, c]),
  },
  {
    title: "Einsum of one tensor by itself",
    covers: ["Einsum"],
    inputs: [normal([2, 3])],
    build: (ops, a) => ops.einsum("ij,kj->ik", [a, a]),
    second: true,
  },
];
