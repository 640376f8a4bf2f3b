/** A model, for tests, that uses every field of the format that ONNX's own cases do not. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  GraphProtoSchema,
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  TensorProtoSchema,
  type TensorShapeProtoSchema,
  type TypeProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";

/** Field 200 of every message, length-delimited: unknown to this version of the format. */
const unknown = () => [{ no: 200, wireType: 2, data: new Uint8Array([3, 1, 2, 3]) }];
const metadataProps = [
  { key: "author", value: "someone" },
  { key: "author", value: "someone else" },
];

/** One tensor of each element type with its elements in the typed field, two elements each. */
export const TYPED_TENSORS: readonly [
  name: string,
  dataType: number,
  data: MessageInitShape<typeof TensorProtoSchema>,
][] = [
  ["float32", 1, { floatData: [0.1, -2] }],
  ["uint8", 2, { int32Data: [0, 255] }],
  ["int8", 3, { int32Data: [-128, 127] }],
  ["uint16", 4, { int32Data: [0, 65535] }],
  ["int16", 5, { int32Data: [-32768, 32767] }],
  ["int32", 6, { int32Data: [-(2 ** 31), 2 ** 31 - 1] }],
  ["int64", 7, { int64Data: [-(2n ** 63n), 2n ** 63n - 1n] }],
  ["string", 8, { stringData: [new TextEncoder().encode("Grüße"), new Uint8Array([0xff])] }],
  ["bool", 9, { int32Data: [0, 1] }],
  ["float16", 10, { int32Data: [0x3c00, 0xfbff] }],
  ["float64", 11, { doubleData: [Math.PI, -0] }],
  ["uint32", 12, { uint64Data: [0n, 2n ** 32n - 1n] }],
  ["uint64", 13, { uint64Data: [0n, 2n ** 64n - 1n] }],
  ["complex64", 14, { floatData: [1, 2, 3, 4] }],
  ["complex128", 15, { doubleData: [1, 2, 3, 4] }],
  ["bfloat16", 16, { int32Data: [0x3f80, 0xff80] }],
  ["float8e4m3fn", 17, { int32Data: [0x38, 0xff] }],
  ["float8e4m3fnuz", 18, { int32Data: [0x38, 0x80] }],
  ["float8e5m2", 19, { int32Data: [0x3c, 0xfc] }],
  ["float8e5m2fnuz", 20, { int32Data: [0x3c, 0x80] }],
  ["uint4", 21, { int32Data: [0xf1] }],
  ["int4", 22, { int32Data: [0x8f] }],
  ["float4e2m1", 23, { int32Data: [0x72] }],
  ["float8e8m0", 24, { int32Data: [0x7f, 0xff] }],
  ["uint2", 25, { int32Data: [0x0e] }],
  ["int2", 26, { int32Data: [0x06] }],
  ["float6e2m3", 27, { int32Data: [0x3f, 0x01] }],
  ["float6e3m2", 28, { int32Data: [0x20, 0x3f] }],
];

/** Returns the model as bytes. */
export function everythingModel(): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 13n,
    producerName: "",
    producerVersion: "1.2",
    domain: "org.example",
    modelVersion: -1n,
    docString: "everything",
    opsetImport: [
      { version: 21n, $unknown: unknown() },
      { domain: "com.microsoft", version: 1n },
      { domain: "custom", version: 3n },
    ],
    graph: mainGraph(),
    metadataProps,
    trainingInfo: [
      { algorithm: { name: "train", node: [{ opType: "Nothing" }] }, initializationBinding: metadataProps },
    ],
    functions: [
      {
        name: "Twice", domain: "custom", overload: "a", input: ["x"], output: ["y"], attribute: ["alpha"],
        attributeProto: [{ name: "beta", type: Kind.FLOAT, f: 1 }], docString: "doubles",
        node: [{ opType: "Add", input: ["x", "x"], output: ["y"], attribute: [{ name: "alpha", refAttrName: "alpha", type: Kind.INT }] }],
        opsetImport: [{ domain: "", version: 21n }], valueInfo: [{ name: "y" }], metadataProps, $unknown: unknown(),
      },
    ], // biome-ignore format: a table
    configuration: [{ name: "two", numDevices: 2, device: ["cpu", "gpu"] }],
    $unknown: [...unknown(), { no: 201, wireType: 0, data: new Uint8Array([0x96, 0x01]) }],
  });
  return toBinary(ModelProtoSchema, model);
}

function mainGraph(): GraphProto {
  return create(GraphProtoSchema, {
    name: "main",
    docString: "",
    metadataProps,
    initializer: [
      ...TYPED_TENSORS.map(([name, dataType, data]) => Object.assign(create(TensorProtoSchema, data), { name, dataType, dims: [2n] })),
      create(TensorProtoSchema, {
        name: "raw", dataType: 1, dims: [], rawData: new Uint8Array([0, 0, 128, 63]), docString: "one", metadataProps, $unknown: unknown(),
      }), // biome-ignore format: a table
      create(TensorProtoSchema, { name: "empty", dataType: 1, dims: [0n, 3n], dataLocation: 0 }),
    ],
    sparseInitializer: [
      {
        dims: [2n, 3n],
        values: { name: "sparse", dataType: 1, dims: [2n], floatData: [5, 7] },
        indices: { dataType: 7, dims: [2n, 2n], int64Data: [0n, 1n, 1n, 2n] },
        $unknown: unknown(),
      },
    ],
    input: [
      info("x", tensorType(1, [{ value: { case: "dimParam", value: "batch" }, denotation: "DATA_BATCH" }, {}, { value: { case: "dimValue", value: -1n } }])),
      info("raw", tensorType(1, [])),
      info("list", create(TypeProtoSchema, { denotation: "LIST", value: { case: "sequenceType", value: { elemType: tensorType(8) } } })),
      info("table", create(TypeProtoSchema, { value: { case: "mapType", value: { keyType: 7, valueType: tensorType(1) } } })),
      info("maybe", create(TypeProtoSchema, { value: { case: "optionalType", value: { elemType: tensorType(1) } } })),
      info("thin", create(TypeProtoSchema, { value: { case: "sparseTensorType", value: { elemType: 1 } } })),
      info("handle", create(TypeProtoSchema, { value: { case: "opaqueType", value: { domain: "d", name: "n" } } })),
      info("condition", tensorType(9, [])),
    ],
    output: [info("y", tensorType(1)), create(ValueInfoProtoSchema, { name: "z" }), info("x", tensorType(1))],
    valueInfo: [info("nobody", tensorType(1)), info("hidden", tensorType(1)), info("hidden", tensorType(1)), info("sparse", tensorType(1))],
    quantizationAnnotation: [
      { tensorName: "absent", quantParameterTensorNames: metadataProps },
      { tensorName: "hidden", quantParameterTensorNames: [{ key: "SCALE_TENSOR", value: "raw" }], $unknown: unknown() },
    ],
    node: [
      {
        opType: "Everything", domain: "custom", name: "", overload: "o", docString: "node", metadataProps,
        input: ["x", "", "raw", ""], output: ["hidden", "", "y"],
        attribute: allAttributes(),
        deviceConfigurations: [{ configurationId: "two", pipelineStage: 1, shardingSpec: [{ tensorName: "x", device: [0n], shardedDim: [{ axis: 0n, simpleSharding: [{ numShards: 2n }] }] }] }],
        $unknown: unknown(),
      },
      { opType: "If", domain: "ai.onnx", input: ["condition"], output: ["z"], attribute: [
        { name: "then_branch", type: Kind.GRAPH, g: branch("inner", "hidden") }, { name: "else_branch", type: Kind.GRAPH, g: branch("inner", "hidden") }] },
    ],
    $unknown: unknown(),
  }); // biome-ignore format: a table
}

function allAttributes() {
  const tensor = { dataType: 1, dims: [1n], floatData: [1] };
  return [
    { name: "f", type: Kind.FLOAT, f: 0.1, docString: "float" },
    { name: "i", type: Kind.INT, i: -(2n ** 63n), $unknown: unknown() },
    { name: "s", type: Kind.STRING, s: new Uint8Array([0xff, 0xfe]) },
    { name: "t", type: Kind.TENSOR, t: { ...tensor, name: "named" } },
    { name: "floats", type: Kind.FLOATS, floats: [1, 2.5] },
    { name: "ints", type: Kind.INTS, ints: [] },
    { name: "strings", type: Kind.STRINGS, strings: [new Uint8Array([65])] },
    { name: "tensors", type: Kind.TENSORS, tensors: [tensor, tensor] },
    { name: "graphs", type: Kind.GRAPHS, graphs: [branch("a", "raw"), branch("b", "raw")] },
    { name: "sparse", type: Kind.SPARSE_TENSOR, sparseTensor: { values: tensor, indices: tensor, dims: [1n] } },
    { name: "sparses", type: Kind.SPARSE_TENSORS, sparseTensors: [{ dims: [1n] }] },
    { name: "type", type: Kind.TYPE_PROTO, tp: tensorType(1) },
    { name: "types", type: Kind.TYPE_PROTOS, typeProtos: [tensorType(1)] },
    { name: "old", i: 3n },
    { name: "nothing" },
  ];
}

/** A branch whose node uses two values of the outer graph and one of its own constants. */
function branch(name: string, outer: string): GraphProto {
  return create(GraphProtoSchema, {
    name,
    initializer: [{ name: "local", dataType: 1, dims: [1n], floatData: [2] }],
    valueInfo: [info("outer", tensorType(1))],
    node: [{ opType: "Sum", input: ["x", "local", outer], output: ["sum"] }],
    output: [info("sum", tensorType(1))],
  });
}

function info(name: string, type: TypeProto): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, type, docString: `about ${name}`, metadataProps, $unknown: unknown() });
}

type Init = MessageInitShape<typeof TensorShapeProtoSchema>;

function tensorType(elemType: number, dim?: Init["dim"]): TypeProto {
  return create(TypeProtoSchema, {
    value: { case: "tensorType", value: dim ? { elemType, shape: { dim } } : { elemType } },
  });
}
