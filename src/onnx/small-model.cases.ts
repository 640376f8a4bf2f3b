/** Small models, as records and as bytes, for tests of reading. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GraphProtoSchema, AttributeProto_AttributeType as Kind, ModelProtoSchema } from "./generated/onnx_pb.ts";

type Init = MessageInitShape<typeof ModelProtoSchema>;
type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
export type NodeInit = NonNullable<GraphInit["node"]>[number];
export type FunctionInit = NonNullable<Init["functions"]>[number];
export type TensorInit = NonNullable<GraphInit["initializer"]>[number];

/** A float32 value of the given lengths. */
export function valueInfo(name: string, ...lengths: (number | string)[]) {
  const dim = lengths.map((length) => ({
    value:
      typeof length === "number"
        ? ({ case: "dimValue", value: BigInt(length) } as const)
        : ({ case: "dimParam", value: length } as const),
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType: 1, shape: { dim } } } as const } };
}

/** A model as bytes; by default of opset 21 with input x and output y. */
export function modelBytes(graph: GraphInit, model: Init = {}): Uint8Array {
  const proto = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [{ domain: "", version: 21n }],
    ...model,
  } as Init);
  const ends = { name: "g", input: [valueInfo("x", "batch", 3)], output: [valueInfo("y", "batch", 2)] };
  proto.graph = create(GraphProtoSchema, { ...ends, ...graph } as GraphInit);
  return toBinary(ModelProtoSchema, proto);
}

/** A weight of shape [3, 2], and two nodes that make y of x with it. */
export const weight: TensorInit = { name: "w", dataType: 1, dims: [3n, 2n], floatData: [1, 2, 3, 4, 5, 6] };
export const twoNodes: NodeInit[] = [
  { opType: "MatMul", name: "product", input: ["x", "w"], output: ["h"] },
  { opType: "Relu", name: "positive", input: ["h"], output: ["y"], attribute: [{ name: "note", type: Kind.STRING, s: new Uint8Array([65]) }] },
]; // biome-ignore format: a table

/** A whole small model with a constant, an optional input left out, an attribute tensor and a sub-graph. */
export function smallModel(): Uint8Array {
  const branch = (name: string) => ({
    name,
    node: [{ opType: "Identity", input: ["h"], output: [`${name}_out`] }],
    output: [{ name: `${name}_out` }],
  });
  return modelBytes({
    initializer: [weight, { name: "raw", dataType: 6, dims: [2n], rawData: new Uint8Array(8) }],
    input: [valueInfo("x", "batch", 3), { name: "yes", type: { value: { case: "tensorType", value: { elemType: 9, shape: {} } } } }],
    valueInfo: [valueInfo("h", "batch", 2)],
    node: [
      { opType: "MatMul", input: ["x", "w"], output: ["p"] },
      { opType: "Clip", input: ["p", "", "top"], output: ["h"] },
      { opType: "Constant", output: ["top"], attribute: [{ name: "value", type: Kind.TENSOR, t: { dataType: 1, floatData: [6] } }] },
      { opType: "If", input: ["yes"], output: ["y"], attribute: [
        { name: "then_branch", type: Kind.GRAPH, g: branch("then") }, { name: "else_branch", type: Kind.GRAPH, g: branch("else") }] },
    ],
  }); // biome-ignore format: a table
}
