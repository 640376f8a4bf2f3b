import { expect, test } from "vitest";
import { Tensor, toFloat32, toNumbers } from "./tensor.ts";

test("float64 tensors are read as numbers", () => {
  const tensor = new Tensor("float64", [2], Float64Array.of(Math.PI, -1e300));
  expect(toNumbers(tensor)).toEqual(Float64Array.of(Math.PI, -1e300));
  expect(toFloat32(tensor)[0]).toBe(Math.fround(Math.PI));
});

test.each(["float8e4m3fn", "float6e2m3", "float4e2m1", "complex64"] as const)(
  "%s is refused as a plain number",
  (dtype) => {
    const data =
      dtype === "complex64"
        ? new Float32Array(8)
        : new Uint8Array(dtype === "float8e4m3fn" ? 4 : dtype === "float4e2m1" ? 2 : 3);
    expect(() => toNumbers(new Tensor(dtype, [4], data))).toThrow(`got ${dtype}.`);
  },
);
