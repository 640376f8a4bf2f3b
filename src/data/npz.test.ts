import fc from "fast-check";
import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { float32, int64 } from "../tensor/index.ts";
import { writeNpy } from "./npy.ts";
import { readNpz, writeNpz } from "./npz.ts";

const arrays = [["pixels", float32([2, 2], [1, 2, 3, 4])] as const, ["tokens", int64([7, 8])] as const];

test("arrays come back by name as they were written", () => {
  expect([...readNpz(writeNpz(arrays), "x.npz")]).toEqual(arrays);
});

test("packed archives are read", () => {
  const bytes = zipSync({ "x.npy": writeNpy(float32([1000], new Float32Array(1000))) }, { level: 9 });
  expect(bytes.length).toBeLessThan(500);
  expect(readNpz(bytes, "x.npz").get("x")!.size).toBe(1000);
});

test("an archive of other files, an empty one, and no archive are refused", () => {
  expect(() => readNpz(zipSync({ "readme.txt": strToU8("hello") }), "x.npz")).toThrow(
    'x.npz: a .npz file must hold .npy arrays only, got "readme.txt".',
  );
  expect(() => readNpz(zipSync({}), "x.npz")).toThrow("x.npz: a .npz file must hold arrays, got none.");
  expect(() => readNpz(strToU8("not a zip"), "x.npz")).toThrow("x.npz: must be a whole zip file");
});

test("an archive that claims to unpack to gigabytes is refused before memory is taken", () => {
  const bytes = zipSync({ "x.npy": writeNpy(float32([64], new Float32Array(64))) });
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 46 < bytes.length; at++) {
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0xfffffff0, true);
  }
  expect(() => readNpz(bytes, "x.npz")).toThrow("must be a whole zip file");
});

test("whatever is changed in an archive, reading ends in arrays or a DataError", () => {
  const valid = zipSync({ "x.npy": writeNpy(float32([16], new Float32Array(16))) }, { level: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.nat(valid.length),
      (edits, length) => {
        const bytes = length % 3 === 0 ? valid.slice(0, length) : valid.slice();
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          readNpz(bytes, "x.npz");
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
