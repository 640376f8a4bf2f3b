import fc from "fast-check";
import { gzipSync } from "fflate";
import { expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import { readIdx } from "./idx.ts";

const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1);

test("an IDX file is read, packed or not", () => {
  const expected = new Tensor("uint8", [3], Uint8Array.of(7, 2, 1));
  expect(readIdx(labels, "labels")).toEqual(expected);
  expect(readIdx(gzipSync(labels), "labels.gz")).toEqual(expected);
  expect(readIdx(Buffer.from(labels), "labels")).toEqual(expected);
});

test("numbers of several bytes are turned round", () => {
  const bytes = Uint8Array.of(0, 0, 0x0c, 1, 0, 0, 0, 1, 255, 255, 255, 254);
  expect(readIdx(bytes, "x")).toEqual(new Tensor("int32", [1], Int32Array.of(-2)));
});

test("a truncated file says what is missing", () => {
  expect(() => readIdx(labels.slice(0, 10), "labels")).toThrow("labels: uint8 of shape [3] must take 3 bytes, got 2.");
  expect(() => readIdx(gzipSync(labels).slice(0, 20), "labels.gz")).toThrow("labels.gz: must be a whole gzip file");
});

test("a gzip file that claims to unpack to gigabytes is refused before memory is taken", () => {
  const packed = gzipSync(labels);
  new DataView(packed.buffer).setUint32(packed.length - 4, 0xfffffff0, true);
  expect(() => readIdx(packed, "labels.gz")).toThrow("labels.gz: must be a whole gzip file");
});

test("whatever the bytes, reading ends in an array or a DataError", () => {
  const packed = gzipSync(labels);
  const edited = fc.tuple(fc.nat(packed.length - 1), fc.nat(255)).map(([at, value]) => packed.with(at, value));
  const header = fc.uint8Array({ maxLength: 12 }).map((rest) => Uint8Array.of(0, 0, 8, ...rest));
  fc.assert(
    fc.property(fc.oneof(edited, header, fc.uint8Array()), (bytes) => {
      try {
        expect(readIdx(bytes, "x")).toBeInstanceOf(Tensor);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
    { numRuns: 1000 },
  );
});
