/** Where each operator keeps its weights, and along which axes. */
import type { Constant, Node } from "../../program/index.ts";
import type { LayerKind } from "./layer.ts";

/** One input of a node that is weights. */
export interface WeightUse {
  readonly kind: LayerKind;
  readonly weightIndex: number;
  readonly inputIndex: number;
  /** Undefined when the node has no input for a bias. */
  readonly biasIndex: number | undefined;
  readonly outputChannelAxis: number;
  readonly inputChannelAxis: number;
  readonly groups: number;
  readonly spatialRank: number;
  /** Why weights in this place cannot be quantized. */
  readonly reason: string | undefined;
}

/** Looks up the constant that an input of a node is; undefined when it is computed or given at run time. */
export type ConstantAt = (index: number) => Constant | undefined;

/** Operators of ONNX Runtime that hold weights: the result of optimizing a model before quantizing it. */
const FUSED: Readonly<Record<string, LayerKind>> = {
  FusedConv: "conv",
  FusedGemm: "gemm",
  FusedMatMul: "matmul",
  Attention: "matmul",
};

/** Returns the inputs of a node that are weights; none for nodes that are not layers. */
export function weightUses(node: Node, constantAt: ConstantAt): readonly WeightUse[] {
  if (node.domain === "com.microsoft") return fusedUses(node, constantAt);
  if (node.domain !== "") return [];
  switch (node.operator) {
    case "Conv":
    case "ConvTranspose":
      return [convolutionUse(node, constantAt)];
    case "Gemm":
      return [gemmUse(node)];
    case "MatMul":
      return [matmulUse(constantAt)];
    case "Gather":
      return embeddingUse(node, constantAt);
    case "Einsum":
      return einsumUse(node, constantAt);
    case "LSTM":
    case "GRU":
    case "RNN":
      return [recurrentUse(1), recurrentUse(2)];
    default:
      return [];
  }
}

const PLAIN = { inputIndex: 0, groups: 1, spatialRank: 0, reason: undefined } as const;

function convolutionUse(node: Node, constantAt: ConstantAt): WeightUse {
  const shape = constantAt(1)?.shape ?? node.inputs[1]?.shape;
  const groups = node.int("group", 1);
  const spatialRank = Math.max((shape?.length ?? 2) - 2, 0);
  const common = { ...PLAIN, weightIndex: 1, biasIndex: 2, groups, spatialRank };
  if (node.operator === "ConvTranspose")
    return { ...common, kind: "conv-transpose", outputChannelAxis: 1, inputChannelAxis: 0 };
  const kind = groups > 1 && shape?.[1] === 1 ? "depthwise-conv" : "conv";
  return { ...common, kind, outputChannelAxis: 0, inputChannelAxis: 1 };
}

function gemmUse(node: Node): WeightUse {
  const transposed = node.int("transB", 0) === 1;
  const axes = { outputChannelAxis: transposed ? 0 : 1, inputChannelAxis: transposed ? 1 : 0 };
  return { ...PLAIN, kind: "gemm", weightIndex: 1, biasIndex: 2, ...axes };
}

function matmulUse(constantAt: ConstantAt): WeightUse {
  const right = constantAt(1);
  const left = right ? undefined : constantAt(0);
  const rank = (right ?? left)?.shape.length ?? 2;
  const common = { ...PLAIN, kind: "matmul", biasIndex: undefined } as const;
  if (left) {
    const reason = "its weights are the left operand";
    const axes = { outputChannelAxis: Math.max(rank - 2, 0), inputChannelAxis: rank - 1 };
    return { ...common, weightIndex: 0, inputIndex: 1, ...axes, reason };
  }
  const axes = { outputChannelAxis: rank - 1, inputChannelAxis: Math.max(rank - 2, 0) };
  const reason = rank === 2 ? undefined : `its weights have ${rank} axes, not 2`;
  return { ...common, weightIndex: 1, ...axes, reason };
}

/** A Gather on a constant table with one row per index; on anything else (shapes, activations) it is not a layer. */
function embeddingUse(node: Node, constantAt: ConstantAt): readonly WeightUse[] {
  const table = constantAt(0);
  if (!table || table.shape.length < 2 || !/float/.test(table.dtype)) return [];
  const rank = table.shape.length;
  const given = node.int("axis", 0);
  const axis = given < 0 ? given + rank : given;
  if (rank !== 2 && axis !== 0) return [];
  const axes = { outputChannelAxis: axis, inputChannelAxis: axis === rank - 1 ? 0 : rank - 1 };
  return [{ ...PLAIN, kind: "embedding", weightIndex: 0, inputIndex: 1, biasIndex: undefined, ...axes }];
}

/** W [directions, gates * hidden, input] and R [directions, gates * hidden, hidden]. */
function recurrentUse(weightIndex: number): WeightUse {
  return { ...PLAIN, kind: "recurrent", weightIndex, biasIndex: 3, outputChannelAxis: 1, inputChannelAxis: 2 };
}

function einsumUse(node: Node, constantAt: ConstantAt): readonly WeightUse[] {
  const weightIndex = node.inputs.findIndex((_, index) => (constantAt(index)?.shape.length ?? 0) >= 2);
  if (weightIndex < 0) return [];
  const reason = "Einsum is not supported";
  const inputIndex = weightIndex === 0 ? 1 : 0;
  return [{ ...matmulUse(constantAt), weightIndex, inputIndex, reason }];
}

function fusedUses(node: Node, constantAt: ConstantAt): readonly WeightUse[] {
  const kind = FUSED[node.operator];
  if (!kind || !constantAt(1)) return [];
  const reason = `${node.operator} is ONNX Runtime's own fused operator; quantize the model as it was before optimization`;
  const use =
    kind === "conv" ? convolutionUse(node, constantAt) : kind === "gemm" ? gemmUse(node) : matmulUse(constantAt);
  return [{ ...use, kind, reason }];
}
