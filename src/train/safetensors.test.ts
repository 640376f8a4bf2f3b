import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { float32, int64, Tensor, tensorOf } from "../tensor/index.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const tensors = {
  "head.weight": float32([2, 3], [1, -2, 3.5, 0, Number.NaN, Number.POSITIVE_INFINITY]),
  step: int64([7], []),
  small: new Tensor("uint8", [3], Uint8Array.of(1, 2, 255)),
  half: tensorOf("float16", [2], [0.5, -65504]),
  none: float32([0, 4], []),
};

describe("safetensors", () => {
  it("come back bit for bit", () => {
    const read = readSafetensors(writeSafetensors(tensors));
    expect(read).toEqual(tensors);
  });

  it("are laid out as the reference implementation lays them out: aligned, a header of JSON", () => {
    const bytes = writeSafetensors(tensors);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header["head.weight"]).toEqual({ dtype: "F32", shape: [2, 3], data_offsets: [8, 32] });
    expect(header.step.data_offsets).toEqual([0, 8]);
  });

  it("are refused with a message of ours when bytes are missing or changed, and never with anything else", () => {
    const bytes = writeSafetensors(tensors);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const changed = cut ? bytes.slice(0, at) : bytes.slice();
        if (!cut) changed[at] = changed[at]! ^ flip;
        try {
          readSafetensors(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
    expect(() => readSafetensors(bytes.slice(0, 5))).toThrow(
      "readSafetensors: a file must have at least 8 bytes, got 5.",
    );
    expect(() => readSafetensors(bytes.slice(0, -1))).toThrow(/"\w+" must have \d+ elements inside the file/);
  });
});
