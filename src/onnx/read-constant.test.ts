import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Graph, Program, Value } from "../program/index.ts";
import { dtypeFromCode, Tensor, toNumbers, zeros } from "../tensor/index.ts";
import { everythingModel, TYPED_TENSORS } from "./everything.cases.ts";
import { SparseTensorProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from "./generated/onnx_pb.ts";
import { readModel, writeModel } from "./index.ts";
import { readConstant, readSparseConstant } from "./read-constant.ts";

/** What each tensor of `TYPED_TENSORS` holds. */
const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  float32: [Math.fround(0.1), -2],
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  string: ["Grüße", "\ufffd"],
  bool: [0, 1],
  float16: [0x3c00, 0xfbff],
  float64: [Math.PI, -0],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0n, 2n ** 64n - 1n],
  complex64: [1, 2, 3, 4],
  complex128: [1, 2, 3, 4],
  bfloat16: [0x3f80, 0xff80],
  float8e4m3fn: [0x38, 0xff],
  float8e4m3fnuz: [0x38, 0x80],
  float8e5m2: [0x3c, 0xfc],
  float8e5m2fnuz: [0x3c, 0x80],
  uint4: [0xf1],
  int4: [0x8f],
  float4e2m1: [0x72],
  float8e8m0: [0x7f, 0xff],
  uint2: [0x0e],
  int2: [0x06],
  // 0x3f in bits 0-5, 0x01 in bits 6-11.
  float6e2m3: [0x7f, 0x00],
  float6e3m2: [0xe0, 0x0f],
};

describe("tensors of a file", () => {
  it.each(TYPED_TENSORS)("of type %s are decoded from their typed field", (name, dataType, data) => {
    const proto = Object.assign(create(TensorProtoSchema, data), { dataType, dims: [2n] });
    const tensor = readConstant(proto, undefined, "tensor").load();
    expect(tensor.dtype).toBe(name);
    expect([...tensor.data]).toEqual(EXPECTED[name]);
  });

  it.each(TYPED_TENSORS.filter(([name]) => name !== "string"))("of type %s made in code come back", (_, dataType) => {
    const dtype = dtypeFromCode(dataType)!;
    const { data } = zeros(dtype === "complex64" ? "float32" : dtype === "complex128" ? "float64" : dtype, [6]);
    (data as Uint8Array).forEach((_, i) => {
      data[i] = (typeof data[i] === "bigint" ? BigInt(i + 1) : i + 1) as never;
    });
    const tensor = new Tensor(dtype, [dtype.startsWith("complex") ? 3 : 6], data);
    expect(throughFile(tensor)).toEqual(tensor);
  });

  it("of strings made in code come back", () => {
    const tensor = new Tensor("string", [2], ["", "Grüße"]);
    expect(throughFile(tensor)).toEqual(tensor);
  });

  it("that lie at odd places of a file are decoded all the same", () => {
    const rawData = new Uint8Array(13).subarray(1);
    new DataView(rawData.buffer, 1).setFloat32(8, 2.5, true);
    const proto = create(TensorProtoSchema, { dataType: 1, dims: [3n], rawData });
    expect([...readConstant(proto, undefined, "tensor").load().data]).toEqual([0, 0, 2.5]);
  });

  it("of 4 bits count the odd half byte", () => {
    const proto = create(TensorProtoSchema, { dataType: 22, dims: [3n], rawData: Uint8Array.of(0x8f, 0x07) });
    expect([...toNumbers(readConstant(proto, undefined, "tensor").load())]).toEqual([-1, -8, 7]);
  });

  it("are decoded anew each time, so that nothing is held in memory", () => {
    const constant = readConstant(
      create(TensorProtoSchema, { dataType: 1, dims: [1n], floatData: [1] }),
      undefined,
      "t",
    );
    expect(constant.load()).not.toBe(constant.load());
  });
});

/** Writes a tensor as a constant of a model, reads it again and decodes it. */
function throughFile(tensor: Tensor): Tensor {
  const value = new Value("c", tensor.dtype, tensor.shape);
  value.constant = { dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
  const { bytes } = writeModel(new Program(new Graph("g", { outputs: [value] })));
  return readModel(bytes).graph.initializers[0]!.constant!.load();
}

describe("sparse tensors", () => {
  const sparse = (dims: bigint[], indices: bigint[], shape: bigint[]) =>
    readSparseConstant(
      create(SparseTensorProtoSchema, {
        dims,
        values: { dataType: 1, dims: [2n], floatData: [5, 7] },
        indices: { dataType: 7, dims: shape, int64Data: indices },
      }),
      undefined,
      "sparse",
    );

  it("are dense once loaded, whether indices are flat or by axis", () => {
    const dense = [0, 5, 0, 0, 0, 7];
    expect([...sparse([2n, 3n], [1n, 5n], [2n]).load().data]).toEqual(dense);
    expect([...sparse([2n, 3n], [0n, 1n, 1n, 2n], [2n, 2n]).load().data]).toEqual(dense);
  });

  it("are written as they were", () => {
    const { graph } = readModel(everythingModel());
    const value = graph.initializers.find(({ name }) => name === "sparse")!;
    expect([...value.constant!.load().data]).toEqual([0, 5, 0, 0, 0, 7]);
  });

  it("are refused when indices do not fit", () => {
    expect(() => sparse([6n], [1n, 6n], [2n]).load()).toThrow("sparse index 1 must lie in the tensor");
    expect(() => sparse([2n, 3n], [0n, 3n, 0n, 0n], [2n, 2n]).load()).toThrow("sparse index 0 must lie in the tensor");
    expect(() => sparse([6n], [1n], [1n]).load()).toThrow("2 sparse values must have 2 int64 indices, got 1 of int64");
  });

  it("are refused when a few bytes ask for all memory", () => {
    expect(() => sparse([2n ** 40n], [0n, 1n], [2n]).load()).toThrow("at most 2^27 plain numbers");
  });
});

describe("external references", () => {
  const external = (entries: Record<string, string>) => {
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    const proto = create(TensorProtoSchema, {
      dataType: 1, dims: [2n], externalData, dataLocation: TensorProto_DataLocation.EXTERNAL,
    }); // biome-ignore format: one line a fact
    return () => readConstant(fromBinary(TensorProtoSchema, toBinary(TensorProtoSchema, proto)), undefined, "t");
  };

  it.each([
    [{}, "external data must name their location, got none"],
    [{ location: "w", offset: "-1" }, 'offset of external data must be a whole number of bytes, got "-1"'],
    [{ location: "w", length: "9".repeat(30) }, "length of external data must be a whole number"],
    [{ location: "w", offset: "1e3" }, "offset of external data"],
    [{ location: "w" }, 'its data lie in the file "w" beside the model, which must be given, got none'],
  ])("%j are refused", (entries, message) => {
    expect(external(entries as Record<string, string>)).toThrow(message);
  });
});
