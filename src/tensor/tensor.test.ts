import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DTypeError, ShapeError } from "../errors.ts";
import { arrayOf, bitsOf, byteLength, type DType, dtypeCode, dtypeFromCode, isDType, isFloat } from "./dtype.ts";
import { elementCount, float32, int64, packIntegers, Tensor, tensorOf, toFloat32, toNumbers, zeros } from "./tensor.ts";

const ALL = Array.from({ length: 28 }, (_, i) => dtypeFromCode(i + 1)!);

describe("element types", () => {
  it("are ONNX's 28, each with the code it was found by", () => {
    expect(new Set(ALL).size).toBe(28);
    expect(ALL.map(dtypeCode)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
    expect([dtypeFromCode(0), dtypeFromCode(29), dtypeFromCode(-1)]).toEqual([undefined, undefined, undefined]);
  });

  it("are told from other names, those of object methods included", () => {
    expect(ALL.every(isDType)).toBe(true);
    expect(["float", "Float32", "toString", "__proto__", ""].some(isDType)).toBe(false);
  });

  it("take the bytes ONNX says, sub-byte types packed and rounded up", () => {
    const bytes = Object.fromEntries(ALL.map((dtype) => [dtype, byteLength(dtype, 5)]));
    expect(bytes).toMatchObject({
      float32: 20,
      int64: 40,
      complex128: 80,
      bool: 5,
      float16: 10,
      int4: 3,
      uint2: 2,
      float6e2m3: 4,
    });
  });

  it("have arrays whose elements are as wide as they are, in whole bytes", () => {
    for (const dtype of ALL) {
      if (dtype === "string") continue;
      const parts = dtype.startsWith("complex") ? 2 : 1;
      expect(arrayOf(dtype).BYTES_PER_ELEMENT * 8 * parts).toBe(Math.max(8, bitsOf(dtype)));
    }
    expect(() => arrayOf("string")).toThrow(DTypeError);
  });

  it("count as real numbers only when they are unquantized floats", () => {
    expect(ALL.filter(isFloat)).toEqual(["float32", "float16", "float64", "bfloat16"]);
    expect(isFloat(undefined)).toBe(false);
  });
});

describe("tensors", () => {
  it("refuse data that do not fill their shape", () => {
    expect(() => float32([2, 3], [1, 2])).toThrow(
      new ShapeError("tensor: float32 of shape [2, 3] must hold 6 array elements, got 2."),
    );
    expect(() => new Tensor("int4", [3], new Uint8Array(3))).toThrow("must hold 2 array elements, got 3");
    expect(() => new Tensor("complex64", [2], new Float32Array(2))).toThrow("must hold 4 array elements");
  });

  it("know their size, scalars and empty ones too", () => {
    expect([float32([], [1]).size, zeros("int8", [0, 4]).size, elementCount([2, 3, 4])]).toEqual([1, 0, 24]);
    expect(zeros("uint4", [3, 3]).sizeBytes).toBe(5);
    expect(zeros("float16", [3, 3]).sizeBytes).toBe(18);
  });

  it("are read as numbers whatever their type", () => {
    const cases: [Tensor, number[]][] = [
      [float32([2], [1.5, -2]), [1.5, -2]],
      [new Tensor("float64", [2], Float64Array.of(Math.PI, -1e300)), [Math.PI, -1e300]],
      [int64([1, -(2 ** 40)]), [1, -(2 ** 40)]],
      [new Tensor("uint64", [1], BigUint64Array.of(2n ** 63n)), [2 ** 63]],
      [new Tensor("float16", [2], Uint16Array.of(0x3c00, 0xc000)), [1, -2]],
      [new Tensor("bfloat16", [1], Uint16Array.of(0x4049)), [3.140625]],
      [new Tensor("bool", [2], Uint8Array.of(0, 1)), [0, 1]],
      [new Tensor("int4", [3], Uint8Array.of(0x8f, 0x07)), [-1, -8, 7]],
      [new Tensor("uint4", [3], Uint8Array.of(0x8f, 0x07)), [15, 8, 7]],
      [new Tensor("int2", [5], Uint8Array.of(0b11_10_01_00, 0b10)), [0, 1, -2, -1, -2]],
      [new Tensor("uint2", [5], Uint8Array.of(0b11_10_01_00, 0b10)), [0, 1, 2, 3, 2]],
    ];
    for (const [tensor, numbers] of cases) expect([...toNumbers(tensor)]).toEqual(numbers);
  });

  it.each<DType>(["float8e4m3fn", "float8e8m0", "float6e2m3", "float4e2m1", "complex64"])(
    "of type %s are not read as numbers",
    (dtype) => {
      const bytes = dtype === "complex64" ? new Float32Array(4) : new Uint8Array(byteLength(dtype, 2));
      expect(() => toNumbers(new Tensor(dtype, [2], bytes))).toThrow(DTypeError);
    },
  );

  it("that are float32 already are not copied", () => {
    const tensor = float32([2], [1, 2]);
    expect(toFloat32(tensor)).toBe(tensor.data);
    expect(toFloat32(int64([3]))).toEqual(Float32Array.of(3));
    expect(toFloat32(new Tensor("float64", [1], Float64Array.of(Math.PI)))).toEqual(Float32Array.of(Math.PI));
  });

  it("of packed integers come back from packing", () => {
    for (const bits of [2, 4] as const) {
      for (const signed of [true, false]) {
        const low = signed ? -(2 ** (bits - 1)) : 0;
        const values = fc.array(fc.integer({ min: low, max: low + 2 ** bits - 1 }), { maxLength: 40 });
        fc.assert(
          fc.property(values, (numbers) => {
            const tensor = new Tensor(`${signed ? "" : "u"}int${bits}`, [numbers.length], packIntegers(numbers, bits));
            expect([...toNumbers(tensor)]).toEqual(numbers);
          }),
          { seed: 1 },
        );
      }
    }
  });
});

describe("tensorOf", () => {
  it("rounds plain numbers to the element type", () => {
    expect(toNumbers(tensorOf("float16", [2], [1 / 3, 2049]))).toEqual(Float64Array.of(0.333251953125, 2048));
    expect(tensorOf("float32", [1], [0.1]).data).toEqual(Float32Array.of(0.1));
    expect(tensorOf("int64", [2], [-1, 3]).data).toEqual(BigInt64Array.of(-1n, 3n));
    expect(tensorOf("bool", [2], [0, 1]).data).toEqual(Uint8Array.of(0, 1));
  });
});
