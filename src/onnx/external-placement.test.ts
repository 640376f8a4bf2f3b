import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { constantValue, Graph, Node, Program, Value } from "../program/index.ts";
import { float32, type Tensor } from "../tensor/index.ts";
import { ModelProtoSchema } from "./generated/onnx_pb.ts";
import { externalFromMap, type ModelFile, modelSizeBytes, readModel, writeModel } from "./index.ts";

/** A program that adds constants of the given tensors up. */
function sumOf(tensors: readonly Tensor[]): Program {
  const y = new Value("y", "float32");
  const constants = tensors.map((tensor, i) => constantValue(`c${i}`, tensor));
  return new Program(new Graph("g", { outputs: [y], nodes: [new Node("Sum", constants, [y])] }));
}

const small = float32([2], [1, 2]);
const large = [float32([300], new Float32Array(300).fill(3)), float32([1025], new Float32Array(1025).fill(4))];

/** Puts a written model's files together as a folder would have them. */
function filesOf(file: ModelFile): Map<string, Uint8Array> {
  return new Map(file.external.map(({ location, chunks }) => [location, new Uint8Array(Buffer.concat([...chunks()]))]));
}

describe("weights beside the model", () => {
  const written = writeModel(sumOf([small, ...large]), { externalData: { location: "weights/big.bin" } });
  const files = filesOf(written);

  it("are all tensors of a threshold and more, each at a multiple of a page", () => {
    const initializers = fromBinary(ModelProtoSchema, written.bytes).graph!.initializer;
    const references = initializers.map(({ externalData }) =>
      Object.fromEntries(externalData.map(({ key, value }) => [key, value])),
    );
    expect(references).toEqual([
      {},
      { location: "weights/big.bin", offset: "0", length: "1200" },
      { location: "weights/big.bin", offset: "4096", length: "4100" },
    ]);
    expect(written.external.map(({ sizeBytes }) => sizeBytes)).toEqual([4096 + 4100]);
    expect(files.get("weights/big.bin")!.byteLength).toBe(4096 + 4100);
    expect(modelSizeBytes(written)).toBe(written.bytes.byteLength + 4096 + 4100);
  });

  const program = readModel(written.bytes, { external: externalFromMap(files) });
  it("are read when loaded", () => {
    expect(program.graph.initializers.map(({ constant }) => constant!.load())).toEqual([small, ...large]);
  });

  it("go into the message again by default", () => {
    const inside = writeModel(program);
    expect(inside.external).toEqual([]);
    expect(readModel(inside.bytes).graph.initializers.map(({ constant }) => constant!.load())).toEqual([
      small,
      ...large,
    ]);
  });

  it("stay as they were when asked to, file and message byte for byte", () => {
    const kept = writeModel(program, { externalData: "keep" });
    expect(Buffer.compare(kept.bytes, written.bytes)).toBe(0);
    expect(filesOf(kept)).toEqual(files);
  });

  it("move to another file without being decoded", () => {
    const moved = writeModel(program, { externalData: { location: "w", thresholdBytes: 4000 } });
    const again = readModel(moved.bytes, { external: externalFromMap(filesOf(moved)) });
    expect(moved.external.map(({ sizeBytes }) => sizeBytes)).toEqual([4100]);
    expect(again.graph.initializers.map(({ constant }) => constant!.load())).toEqual([small, ...large]);
  });

  it("are missed before anything is computed", () => {
    const read = (map: Map<string, Uint8Array>) => () =>
      readModel(written.bytes, { external: externalFromMap(map), where: "m" });
    expect(() => readModel(written.bytes, { where: "m" })).toThrow(
      'm: initializer "c1": its data lie in the file "weights/big.bin" beside the model, which must be given, got none.',
    );
    expect(read(new Map([["other", new Uint8Array(1)]]))).toThrow(
      'the file "weights/big.bin" must be given with the model, got "other"',
    );
    expect(read(new Map([["weights/big.bin", new Uint8Array(5000)]]))).toThrow(
      'initializer "c2": "weights/big.bin" must have 4100 bytes from offset 4096, got 904. The file is truncated',
    );
    expect(read(new Map([["weights/big.bin", new Uint8Array(9000)]]))).not.toThrow();
  });

  it.each(["", "/tmp/w", "../w", "a/../w", "a\\w", "C:w", "a//b"])("cannot go to the location %j", (location) => {
    expect(() => writeModel(program, { externalData: { location } })).toThrow(
      "must be a path inside the model's folder",
    );
  });
});

describe("models above 2 GiB", () => {
  it("are written with their weights beside, one tensor in memory at a time", () => {
    let loaded = 0;
    const program = sumOf([small]);
    for (let i = 0; i < 3; i++) {
      const huge = new Value(`huge${i}`, "uint8", [2 ** 30]);
      const load = (): never => {
        loaded++;
        throw new Error("must not be needed for the message");
      };
      huge.constant = { dtype: "uint8", shape: [2 ** 30], load };
      program.graph.nodes[0]!.inputs.push(huge);
    }
    const { bytes, external } = writeModel(program);
    expect(bytes.byteLength).toBeLessThan(1000);
    expect(external.map(({ location, sizeBytes }) => [location, sizeBytes])).toEqual([
      ["model.onnx_data", 3 * 2 ** 30],
    ]);
    expect(writeModel(program, { fileName: "small.onnx" }).external[0]?.location).toBe("small.onnx_data");
    expect(loaded).toBe(0);
  });
});
