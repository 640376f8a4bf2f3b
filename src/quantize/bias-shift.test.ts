import { describe, expect, it } from "vitest";
import { biasShift } from "./bias-shift.ts";
import { gaussSamples } from "./samples.cases.ts";

/** Random weights and a perturbed copy. */
function pair(count: number): [Float32Array, Float32Array] {
  const noise = gaussSamples(count, 2);
  const weights = gaussSamples(count, 1);
  return [weights, weights.map((w, i) => w + 0.1 * noise[i]!)];
}

describe("biasShift", () => {
  it("is the difference of the outputs for the mean input: matrix [inputs, outputs]", () => {
    const [w, q] = pair(6);
    const means = [0.5, 2, -1];
    const output = (m: Float32Array, o: number): number => means.reduce((sum, x, k) => sum + x * m[k * 2 + o]!, 0);
    const shift = biasShift(w, q, means, { shape: [3, 2], layout: "inputs-first" });
    expect(shift[0]).toBeCloseTo(output(w, 0) - output(q, 0), 12);
    expect(shift[1]).toBeCloseTo(output(w, 1) - output(q, 1), 12);
  });

  it("sums over the kernel of a convolution in groups", () => {
    // 4 outputs, 6 inputs in 2 groups of 3, kernel 2x2.
    const [w, q] = pair(4 * 3 * 4);
    const means = [1, 2, 3, 4, 5, 6];
    const shift = biasShift(w, q, means, { shape: [4, 3, 2, 2], groups: 2 });
    for (let o = 0; o < 4; o++) {
      let expected = 0;
      for (let i = 0; i < 3; i++) {
        for (let tap = 0; tap < 4; tap++) {
          const at = (o * 3 + i) * 4 + tap;
          expected += (w[at]! - q[at]!) * means[(o < 2 ? 0 : 3) + i]!;
        }
      }
      expect(shift[o]).toBeCloseTo(expected, 12);
    }
  });

  it("takes each channel's own mean in a depthwise convolution", () => {
    const w = new Float32Array([1, 1, 1, 1, 1, 1]);
    const q = new Float32Array([0.5, 1, 1, 1, 1, 0]);
    const shift = biasShift(w, q, [10, 20, 30], { shape: [3, 1, 2], groups: 3 });
    expect(Array.from(shift)).toEqual([5, 0, 30]);
  });

  it("follows the grouped layout of a transposed convolution, and its strides", () => {
    // 4 inputs, 2 groups, 1 output per group, kernel 4, stride 2.
    const [w, q] = pair(16);
    const means = [1, 2, 3, 4];
    const shift = biasShift(w, q, means, {
      shape: [4, 1, 4],
      layout: "inputs-first",
      groups: 2,
      upsampling: 2,
    });
    expect(shift).toHaveLength(2);
    for (let group = 0; group < 2; group++) {
      let expected = 0;
      for (let i = 2 * group; i < 2 * group + 2; i++) {
        for (let tap = 0; tap < 4; tap++) expected += (w[i * 4 + tap]! - q[i * 4 + tap]!) * means[i]!;
      }
      expect(shift[group]).toBeCloseTo(expected / 2, 12);
    }
  });

  it("refuses what does not fit together", () => {
    const four = new Float32Array(4);
    expect(() => biasShift(four, four, [1, 2, 3], { shape: [2, 2] })).toThrow(
      "biasShift: there must be one mean for each of 2 input channels, got 3.",
    );
    expect(() => biasShift(four, four, [1, 2], { shape: [2, 3] })).toThrow(
      "biasShift: weights must hold the 6 elements of their shape, got 4 and 4.",
    );
    expect(() => biasShift(four, four, [1, 2, 3, 4, 5, 6], { shape: [2, 2], groups: 3 })).toThrow(
      "biasShift: 3 groups must divide the first axis of [2, 2].",
    );
  });
});
