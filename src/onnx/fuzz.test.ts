import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedModels } from "../../test/support/shared-data.ts";
import { ModicumError } from "../errors.ts";
import { printProgram } from "../program/index.ts";
import { everythingModel } from "./everything.cases.ts";
import { readModel, upgradeOpset, writeModel } from "./index.ts";
import { smallModel } from "./small-model.cases.ts";

/** Reads a file, decodes its weights, upgrades, prints and writes it; failures must be ours. */
function use(bytes: Uint8Array): void {
  try {
    const program = readModel(bytes);
    for (const { constant } of program.graph.initializers) constant?.load();
    writeModel(program);
    printProgram(upgradeOpset(program));
  } catch (error) {
    if (!(error instanceof ModicumError)) throw error;
    expect(error.message.length).toBeLessThan(2000);
  }
}

/** Replaces, inserts or removes a few bytes, or cuts the end off. */
function mutated(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(original.byteLength - 1);
  const change = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant("insert" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant("remove" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
    fc.record({ kind: fc.constant("cut" as const), at, bytes: fc.constant(new Uint8Array()) }),
    fc.record({
      kind: fc.constant("set" as const),
      at,
      bytes: fc.constant(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)),
    }),
  );
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => changes.reduce(applyChange, original));
}

function applyChange(bytes: Uint8Array, change: { kind: string; at: number; bytes: Uint8Array }): Uint8Array {
  const before = bytes.subarray(0, change.at);
  const skipped = change.kind === "insert" ? 0 : change.bytes.byteLength;
  if (change.kind === "cut") return before;
  const inserted = change.kind === "remove" ? new Uint8Array() : change.bytes;
  return Buffer.concat([before, inserted, bytes.subarray(change.at + skipped)]);
}

const parameters = { seed: 1, numRuns: 500 };

describe("reading hostile files", () => {
  it("fails in an orderly way on random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), use), parameters);
  });

  it("fails in an orderly way on random protobuf", () => {
    const varint = (x: number): number[] => (x < 128 ? [x] : [(x & 127) | 128, ...varint(x >>> 7)]);
    const message = fc.letrec<{ fields: number[] }>((tie) => ({
      fields: fc
        .array(
          fc.oneof(
            { maxDepth: 6 },
            fc.tuple(fc.integer({ min: 1, max: 26 }), fc.nat(300)).map(([no, x]) => [no << 3, ...varint(x)].flat()),
            fc
              .tuple(fc.constantFrom(1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 15), tie("fields"))
              .map(([no, inner]) => [(no << 3) | 2, ...varint(inner.length), ...inner]),
          ),
          { maxLength: 6 },
        )
        .map((fields) => fields.flat()),
    })).fields;
    fc.assert(
      fc.property(
        message.map((fields) => Uint8Array.from(fields)),
        use,
      ),
      parameters,
    );
  });

  it.each([
    ["a small model", smallModel()],
    ["a model with everything", everythingModel()],
  ])("fails in an orderly way on %s with bytes changed", (_, bytes) => {
    fc.assert(fc.property(mutated(bytes), use), parameters);
  });

  const real = sharedModels().find((file) => file.endsWith("mnist-cnn.onnx"));
  it.skipIf(!real)("fails in an orderly way on a real model with bytes changed", () => {
    fc.assert(fc.property(mutated(new Uint8Array(readFileSync(real!))), use), { ...parameters, numRuns: 100 });
  });

  it("would notice any other failure", () => {
    expect(() => {
      try {
        JSON.parse("{");
      } catch (error) {
        if (!(error instanceof ModicumError)) throw error;
      }
    }).toThrow(SyntaxError);
  });
});
