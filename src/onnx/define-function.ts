/** Functions inside a model: an operator whose meaning is a list of nodes, stored once however often it is called. */
import { create, fromBinary } from "@bufbuild/protobuf";
import { type FunctionDefinition, type Graph, Program } from "../program/index.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
} from "./generated/onnx_pb.ts";
import { writeModel } from "./write-model.ts";

/**
 * Returns a function that computes what a graph does; add it to the `functions` of a program, and its domain to `opsets`.
 *
 * @param graph Its inputs and outputs are the function's. It must have no graphs inside it.
 * @param opset Version of ONNX's operators that the nodes mean: that of the program.
 */
export function defineFunction(
  graph: Graph,
  { name, domain, opset }: { readonly name: string; readonly domain: string; readonly opset: number },
): FunctionDefinition {
  const written = writeModel(new Program(graph, [["", opset]]), { tellingNames: new Set() });
  const { graph: record } = fromBinary(ModelProtoSchema, written.bytes);
  // A function has no initializers: its constants are nodes.
  const constants = record!.initializer.map((tensor) => {
    const { name: output } = tensor;
    const value = Object.assign(tensor, { name: "" });
    const attribute = create(AttributeProtoSchema, {
      name: "value",
      type: AttributeProto_AttributeType.TENSOR,
      t: value,
    });
    return create(NodeProtoSchema, { opType: "Constant", output: [output], attribute: [attribute] });
  });
  const source = create(FunctionProtoSchema, {
    name,
    domain,
    input: graph.inputs.map((input) => input.name),
    output: graph.outputs.map((output) => output.name),
    node: [...constants, ...record!.node],
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) })],
  });
  return { name, domain, overload: "", source };
}
