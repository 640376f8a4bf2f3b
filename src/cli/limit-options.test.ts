import { describe, expect, it } from "vitest";
import { layerBits, layerBitsFlags, limitsFromFlags } from "./limit-options.ts";
import { byteSize, milliseconds } from "./option-values.ts";

describe("limits as flags", () => {
  it.each([
    ["500kB", 500_000],
    ["1.2MB", 1_200_000],
    ["1 MB", 1_000_000],
    ["1.5MiB", 1_572_864],
    ["2000B", 2000],
  ])("reads a size of %s", (text, bytes) => {
    expect(byteSize(text)).toBe(bytes);
  });

  it.each([["500"], ["kB"], ["0kB"], ["-1MB"], ["1,2MB"], ["5 xB"]])("refuses a size of %s", (text) => {
    expect(() => byteSize(text)).toThrow("It must be a size such as 500kB, 1.2MB or 1MiB.");
  });

  it("reads times with their unit", () => {
    expect([milliseconds("3.5ms"), milliseconds("0.2s")]).toEqual([3.5, 200]);
    for (const text of ["3.5", "0ms", "1m"]) expect(() => milliseconds(text)).toThrow("It must be a time");
  });

  it("reads bits of layers, whatever their names, and writes them as they are read", () => {
    const bits = layerBits("a=b/c=8/4", layerBits("conv1=3"));
    expect(bits).toEqual({ conv1: { weights: 3 }, "a=b/c": { weights: 8, activations: 4 } });
    expect(layerBitsFlags(["layer1.0.conv", "a b"], 8)).toBe("--layer-bits layer1.0.conv=8 --layer-bits 'a b=8'");
    expect(() => layerBits("conv1=8", bits)).toThrow("only once");
    for (const text of ["conv1", "=8", "conv1=x"]) expect(() => layerBits(text)).toThrow("such as conv1=8");
  });

  it("become options only where they were stated", () => {
    expect(limitsFromFlags({})).toEqual({});
    expect(limitsFromFlags({ targetSize: 5, maxDrop: 0 })).toEqual({ limits: { sizeBytes: 5, maxDrop: 0 } });
  });
});
