import fc from "fast-check";
import { expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { type DType, float32, numberToHalf, Tensor } from "../tensor/index.ts";
import { readNpy, readNpyHeader, writeNpy } from "./npy.ts";

/** A .npy file as NumPy writes it, from its header text and its numbers. */
function npyFile(header: string, data: ArrayLike<number>, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    version,
    0,
    ...length,
    ...text,
    ...Array.from(data),
  ]);
}

const TENSORS: readonly Tensor[] = [
  float32([2, 3], [1, -2, 3.5, 0, Number.NaN, Number.POSITIVE_INFINITY]),
  new Tensor("float16", [2], Uint16Array.of(numberToHalf(1.5), numberToHalf(-65504))),
  new Tensor("float64", [1], Float64Array.of(Math.PI)),
  new Tensor("int8", [2], Int8Array.of(-128, 127)),
  new Tensor("uint8", [2], Uint8Array.of(0, 255)),
  new Tensor("int16", [1], Int16Array.of(-32768)),
  new Tensor("uint16", [1], Uint16Array.of(65535)),
  new Tensor("int32", [1], Int32Array.of(-(2 ** 31))),
  new Tensor("uint32", [1], Uint32Array.of(2 ** 32 - 1)),
  new Tensor("int64", [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  new Tensor("uint64", [1], BigUint64Array.of(2n ** 64n - 1n)),
  new Tensor("bool", [3], Uint8Array.of(0, 1, 1)),
  new Tensor("complex64", [2], Float32Array.of(1, 2, 3, 4)),
  float32([], [7]),
  float32([0, 4], []),
];

test.each(TENSORS)("$dtype $shape comes back as it was written", (tensor) => {
  expect(readNpy(writeNpy(tensor), "x.npy")).toEqual(tensor);
  expect(readNpy(Buffer.from(writeNpy(tensor)), "x.npy")).toEqual(tensor);
});

test("the header is NumPy's own text, padded so that the numbers lie at a multiple of 64 bytes", () => {
  const bytes = writeNpy(float32([3], [1, 2, 3]));
  expect(new TextDecoder("latin1").decode(bytes.subarray(0, 128))).toBe(
    `\x93NUMPY\x01\x00\x76\x00${"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }".padEnd(117)}\n`,
  );
  expect(bytes.length).toBe(128 + 12);
});

test("Fortran order comes out row-major", () => {
  // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]).astype("u1") is stored column by column.
  const bytes = npyFile("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", [1, 4, 2, 5, 3, 6]);
  expect(readNpy(bytes, "x.npy")).toEqual(new Tensor("uint8", [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)));
});

test("Fortran order of three axes comes out row-major", () => {
  const stored = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
  const bytes = npyFile("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }\n", stored);
  expect([...(readNpy(bytes, "x.npy").data as Uint8Array)]).toEqual(Array.from({ length: 24 }, (_, i) => i));
});

test("big-endian numbers are turned round", () => {
  const bytes = npyFile(
    "{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }\n",
    [0, 0, 1, 2, 255, 255, 255, 254],
  );
  expect(readNpy(bytes, "x.npy")).toEqual(new Tensor("int32", [2], Int32Array.of(258, -2)));
});

test("version 2 headers are read", () => {
  const bytes = npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }\n", [1], 2);
  expect(readNpy(bytes, "x.npy")).toEqual(new Tensor("bool", [1], Uint8Array.of(1)));
});

test.each([
  [
    "objects",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "x.npy: elements must be plain numbers, got '|O'.",
  ],
  [
    "text",
    "{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }",
    "x.npy: elements must be plain numbers, got '<U3'.",
  ],
  ["records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "got records."],
  ["no shape", "{'descr': '<f4', 'fortran_order': False, }", "must name fortran_order and shape"],
  ["an absurd shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }", "shape must be"],
  ["too few numbers", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "must take 8 bytes, got 4."],
  ["too many numbers", "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "must take 2 bytes, got 4."],
])("%s are refused", (_, header, message) => {
  expect(() => readNpy(npyFile(header, [1, 2, 3, 4]), "x.npy")).toThrow(message);
});

test("a type NumPy does not have is refused", () => {
  const tensor = new Tensor("bfloat16", [1], Uint16Array.of(1));
  expect(() => writeNpy(tensor)).toThrow("writeNpy: element type must be one NumPy has, got bfloat16.");
});

test("whatever the bytes, reading ends in an array or a DataError", () => {
  const valid = writeNpy(new Tensor("int16" satisfies DType, [2, 3], Int16Array.of(1, 2, 3, 4, 5, 6)));
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(valid.length))
    .map(([edits, length]) => {
      const bytes = valid.slice();
      for (const [at, value] of edits) bytes[at] = value;
      return length % 4 === 0 ? bytes.slice(0, length) : bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array()), (bytes) => {
      try {
        expect(readNpy(bytes, "x.npy")).toBeInstanceOf(Tensor);
        expect(readNpyHeader(bytes, "x.npy").dataOffset).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
    { numRuns: 2000 },
  );
});
