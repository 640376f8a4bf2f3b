import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../test/support/fast-check-seed.ts";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const TENSORS = {
  "layer.weight": float32([2, 3], [1, -0, 3e-45, Number.NaN, Number.POSITIVE_INFINITY, 6]),
  step: int64([2 ** 40], []),
  half: new Tensor("float16", [3], Uint16Array.of(1, 2, 0xffff)),
  brain: new Tensor("bfloat16", [1], Uint16Array.of(0x3f80)),
  double: new Tensor("float64", [1], Float64Array.of(Math.PI)),
  bytes: new Tensor("uint8", [5], Uint8Array.of(1, 2, 3, 4, 5)),
  mask: new Tensor("bool", [3], Uint8Array.of(1, 0, 1)),
  none: float32([0, 4], []),
  __proto__x: float32([1], [1]),
};

/** A file with the given header text and data. */
function fileOf(header: string | object, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const one = (entry: object) => fileOf({ w: entry }, [0, 0, 128, 63]);

describe("safetensors", () => {
  it("come back bit for bit, with their metadata, from memory at any offset", () => {
    const written = writeSafetensors(TENSORS, { format: "modicum", note: "ä" });
    const shifted = new Uint8Array(written.length + 3);
    shifted.set(written, 3);
    for (const bytes of [written, shifted.subarray(3)]) {
      const { tensors, metadata } = readSafetensors(bytes, "file");
      expect(metadata).toEqual({ format: "modicum", note: "ä" });
      expect(Object.keys(tensors).sort()).toEqual(Object.keys(TENSORS).sort());
      for (const [name, tensor] of Object.entries(TENSORS)) {
        expect(tensors[name], name).toEqual(tensor);
        expect(Object.is(tensors[name]!.data[1], tensor.data[1])).toBe(true);
      }
    }
  });

  it("are laid out as the format says: length, JSON, numbers without gaps at multiples of their width", () => {
    const bytes = writeSafetensors({ b: new Tensor("uint8", [1], Uint8Array.of(7)), a: float32([1], [1]) });
    const length = new DataView(bytes.buffer).getUint32(0, true);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "U8", shape: [1], data_offsets: [4, 5] },
    });
    expect(length % 8).toBe(0);
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 7]);
  });

  it("are read as the reference implementation writes them", () => {
    // python: safetensors.numpy.save({"w": numpy.float32([1])}), safetensors 0.4
    const bytes = fileOf('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ', [0, 0, 128, 63]);
    expect(readSafetensors(bytes, "file").tensors).toEqual({ w: float32([1], [1]) });
  });

  it.each([
    ["no header", Uint8Array.of(1, 2), "must begin with the length of its header, got less than 8 bytes"],
    ["a header beyond the end", fileOf("{}").subarray(0, 9), "got 2 in a file of 9 bytes. It may be truncated"],
    ["text that is no JSON", fileOf("{x}"), "header must be JSON"],
    ["a list", fileOf("[]"), "must be a JSON object, got []"],
    ["an unknown type", one({ dtype: "F4", shape: [1], data_offsets: [0, 4] }), 'known element type, got "F4"'],
    ["no shape", one({ dtype: "F32", data_offsets: [0, 4] }), "must have a shape and data_offsets"],
    ["a negative length", one({ dtype: "F32", shape: [-1], data_offsets: [0, 4] }), "must have a shape"],
    ["offsets that do not fit", one({ dtype: "F32", shape: [2], data_offsets: [0, 4] }), "must take 8 bytes, got 4"],
    [
      "data that is missing",
      one({ dtype: "F32", shape: [1], data_offsets: [4, 8] }),
      "within the 4 bytes of data, got 8",
    ],
    ["data nobody owns", fileOf({}, [1]), "got a gap or an overlap at 0"],
    ["metadata of numbers", fileOf({ __metadata__: { a: 1 } }), "must hold strings by name"],
  ])("are refused with %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes, "x.safetensors")).toThrow(message);
    expect(() => readSafetensors(bytes, "x.safetensors")).toThrow(/^x\.safetensors: /);
  });

  it("are refused where tensors overlap", () => {
    const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    expect(() => readSafetensors(fileOf({ a: entry, b: entry }, [0, 0, 0, 0]), "f")).toThrow("gap or an overlap at 4");
  });

  it("cannot hold strings and packed types", () => {
    expect(() => writeSafetensors({ s: new Tensor("string", [1], ["a"]) })).toThrow('tensor "s" must be of one of');
    expect(() => writeSafetensors({ q: new Tensor("int4", [2], Uint8Array.of(1)) })).toThrow("got int4");
  });

  it("that are damaged give an error of ours or other numbers, nothing else", () => {
    const valid = writeSafetensors(TENSORS);
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(valid.length))
      .map(([changes, length]) => {
        const bytes = valid.slice(0, length);
        for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array()), (bytes) => {
        try {
          readSafetensors(bytes, "file");
        } catch (error) {
          expect(error).toMatchObject({ code: "data" });
        }
      }),
      { numRuns: 500 },
    );
  });
});
