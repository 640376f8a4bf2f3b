import { describe, expect, it } from "vitest";
import { findLayers } from "../prepare/index.ts";
import type { Program } from "../program/index.ts";
import { assignBits, layerPolicies } from "./policy.ts";
import { programOf, weights } from "./small-models.cases.ts";

/** Four layers: a stem, a depthwise and a large convolution, and a classifier. */
function network(): Program {
  return programOf({ x: [1, 3, 8, 8] }, (e, { x }) => {
    const stem = e.emit("Conv", [x!, weights("a", [8, 3, 3, 3])], { name: "stem" });
    const depthwise = e.emit("Conv", [stem, weights("b", [8, 1, 3, 3])], {
      name: "depthwise",
      attributes: { group: 8 },
    });
    const large = e.emit("Conv", [depthwise, weights("c", [64, 8, 3, 3])], { name: "large" });
    const pooled = e.emit("Flatten", [e.emit("GlobalAveragePool", [large])]);
    return [e.emit("Gemm", [pooled, weights("d", [64, 10])], { name: "head" })];
  });
}

function bitsBy(policy: string, asked: { weights: number; activations: number }): Record<string, unknown> {
  const found = assignBits(layerPolicies[policy]!, findLayers(network()), asked);
  return Object.fromEntries(
    [...found].map(([layer, { weights: w, activations, reason }]) => [layer.node.name, [w, activations, reason]]),
  );
}

const FOUR = { weights: 4, activations: 4 };
const FIRST = [8, 8, "first layer keeps 8 bits"];
const CLASSIFIER = [8, 8, "classifier keeps 8 bits"];

describe("assignBits", () => {
  it("keeps the first layer and the classifier at 8 bits, as the paper", () => {
    expect(bitsBy("paper", FOUR)).toEqual({
      stem: FIRST,
      depthwise: [4, 4, null],
      large: [4, 4, null],
      head: CLASSIFIER,
    });
  });

  it("keeps small layers at 8 bits too where models are deployed", () => {
    // 72 of 5536 weights are the smallest layer, a hundredth.
    expect(bitsBy("deploy", FOUR)).toEqual({
      stem: FIRST,
      depthwise: [8, 4, "small layer keeps 8 bits"],
      large: [4, 4, null],
      head: CLASSIFIER,
    });
  });

  it("makes no exceptions where none are wanted", () => {
    expect(bitsBy("uniform", FOUR)).toEqual({
      stem: [4, 4, null],
      depthwise: [4, 4, null],
      large: [4, 4, null],
      head: [4, 4, null],
    });
  });

  it.each(["paper", "deploy", "uniform"])(
    "never gives fewer bits than asked for, nor a reason where it changes nothing: %s",
    (policy) => {
      for (const asked of [
        { weights: 8, activations: 8 },
        { weights: 16, activations: 16 },
      ]) {
        for (const found of Object.values(bitsBy(policy, asked)))
          expect(found).toEqual([asked.weights, asked.activations, null]);
      }
    },
  );

  it("is known by its name, with a line about itself", () => {
    for (const [name, policy] of Object.entries(layerPolicies)) {
      expect(policy.name).toBe(name);
      expect(policy.summary.length).toBeGreaterThan(10);
      for (const { reason } of policy.rules) expect(reason).toMatch(/keeps 8 bits$/);
    }
  });
});
