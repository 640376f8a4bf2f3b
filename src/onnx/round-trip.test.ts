import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { onnxNodeTests, sharedModels } from "../../test/support/shared-data.ts";
import { cloneProgram } from "../program/index.ts";
import { everythingModel } from "./everything.cases.ts";
import { ModelProtoSchema } from "./generated/onnx_pb.ts";
import { readModel, writeModel } from "./index.ts";

/** Reads and writes a model and returns whether every byte is as it was. */
function isKept(bytes: Uint8Array, where: string): boolean {
  const written = writeModel(readModel(bytes, { where }), { externalData: "keep" }).bytes;
  return Buffer.compare(bytes, written) === 0;
}

describe("reading and writing a model", () => {
  const models = sharedModels();
  it.skipIf(models.length === 0)("keeps every byte of the shared models", () => {
    const changed = models.filter((file) => !isKept(new Uint8Array(readFileSync(file)), file));
    expect(changed).toEqual([]);
  });

  const cases = [...(onnxNodeTests() ?? [])].filter(([name]) => name.endsWith("model.onnx"));
  it.skipIf(cases.length === 0)("keeps every byte of ONNX's 1,450 operator cases", () => {
    const changed = cases.filter(([name, bytes]) => !isKept(bytes, name)).map(([name]) => name);
    expect(cases.length).toBe(1450);
    expect(changed).toEqual([]);
  });

  it("keeps what those lack: unknown fields, training info, annotations, sparse weights, every optional field", () => {
    expect(isKept(everythingModel(), "everything")).toBe(true);
  });

  it("writes the same again and again, and leaves the program's copies alone", () => {
    const program = readModel(everythingModel());
    const copy = cloneProgram(program).program;
    const first = writeModel(program).bytes;
    expect(Buffer.compare(writeModel(program).bytes, first)).toBe(0);
    expect(Buffer.compare(writeModel(copy).bytes, first)).toBe(0);
  });

  it("would notice a lost field", () => {
    const original = fromBinary(ModelProtoSchema, everythingModel());
    const kept = toBinary(ModelProtoSchema, original);
    original.graph!.node[0]!.docString = "";
    expect(Buffer.compare(kept, toBinary(ModelProtoSchema, original))).not.toBe(0);
  });

  it("gives the same meaning to a message whose fields came in another order", () => {
    const first = toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: { name: "g" } }));
    const second = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 17n }] }),
    );
    // Field 7 before fields 1 and 8.
    const bytes = new Uint8Array([...first, ...second]);
    const written = writeModel(readModel(bytes)).bytes;
    expect(fromBinary(ModelProtoSchema, written)).toEqual(fromBinary(ModelProtoSchema, bytes));
  });
});
