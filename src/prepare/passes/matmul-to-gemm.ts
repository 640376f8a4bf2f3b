/** A MatMul of a matrix with constant weights, and the bias or batch normalization after it: one fully connected layer. */
import { type Graph, Node, type Use, type Value } from "../../program/index.ts";
import { fixedConstant, floatConstant } from "../fixed-constant.ts";
import { isPerChannel, type LinearNode, linearNode } from "../linear-node.ts";
import type { Pass } from "../pass.ts";
import { isInferenceBatchNorm } from "./fold-batch-norm.ts";

/**
 * Turns MatMul into Gemm where its input is known to be a matrix and a constant bias or a batch normalization follows,
 * which other passes then fold into it. MatMuls over more axes stay: Gemm has two.
 */
export const matmulToGemm: Pass = {
  name: "matmul-to-gemm",
  summary: "Turns MatMul into Gemm where its input is a matrix and a bias follows.",
  run(program) {
    const { graph } = program;
    const uses = graph.uses();
    let changes = 0;
    graph.nodes = graph.nodes.map((node) => {
      const linear = node.operator === "MatMul" ? linearNode(node, graph) : undefined;
      const next = linear?.rank === 2 ? soleUser(node.output(), uses) : undefined;
      if (!linear || !next) return node;
      if (!(isInferenceBatchNorm(next, program) && next.inputs[0] === node.output()) && !addsBias(next, linear, graph))
        return node;
      changes++;
      const { inputs } = node;
      // Gemm's third input is required before opset 11; the bias that follows is folded into this one.
      const gemm = new Node("Gemm", program.opset < 11 ? [...inputs, zeroBias(linear)] : inputs, node.outputs, {
        name: node.name,
      });
      gemm.extras = node.extras;
      return gemm;
    });
    return changes;
  },
};

function soleUser(value: Value, uses: ReadonlyMap<Value, readonly Use[]>): Node | undefined {
  const [use, ...others] = uses.get(value) ?? [];
  return others.length === 0 ? use?.node : undefined;
}

function addsBias(node: Node, linear: LinearNode, graph: Graph): boolean {
  if (node.operator !== "Add" || node.domain !== "") return false;
  const other = node.inputs.find((input) => input !== linear.node.outputs[0]);
  const constant = fixedConstant(other, graph);
  return constant !== undefined && isPerChannel(constant, linear);
}

function zeroBias({ weight, constant, channels }: LinearNode): Value {
  return floatConstant(`${weight.name}.bias`, constant.dtype, [channels], new Float64Array(channels));
}
