import { describe, expect, it } from "vitest";
import { findLayers } from "../prepare/index.ts";
import { constantValue, type Emitter, type Program, type Value } from "../program/index.ts";
import { int64 } from "../tensor/index.ts";
import { type ActivationPlan, type PlanOptions, planActivations } from "./activation-plan.ts";
import { numbers, programOf, weights } from "./small-models.cases.ts";

type Build = (emitter: Emitter, x: Value) => readonly Value[];

/** Plans for a model of feature maps; the values of interest are called by name. */
function planOf(build: Build, options: PlanOptions = { scores: false, sums: true }): ActivationPlan {
  return planFor(
    programOf({ x: [2, 4, 6, 6] }, (e, { x }) => build(e, x!)),
    options,
  );
}

function planFor(program: Program, options: PlanOptions): ActivationPlan {
  return planActivations(
    program,
    findLayers(program).filter(({ reason }) => reason === undefined),
    options,
  );
}

function conv(e: Emitter, x: Value, output: string, outputs = 4): Value {
  return e.emit("Conv", [x, weights("w", [outputs, 4, 3, 3])], { output, attributes: { pads: [1, 1, 1, 1] } });
}

const bound = (value: number): Value => numbers("bound", [], [value]);

/** The requests as text: `r from c one-sided 0..6 layer`. */
function requestsOf(plan: ActivationPlan): string[] {
  return [...plan.requests.values()].map(
    ({ value, statisticsOf, side, low, high, role }) =>
      `${value.name} from ${statisticsOf.name} ${side} ${low}..${high} ${role}`,
  );
}

const INPUT = "x from x two-sided -Infinity..Infinity input";
const LAST = "y from y two-sided -Infinity..Infinity layer";

describe("planActivations", () => {
  it.each([
    ["Relu", (e: Emitter, x: Value) => e.emit("Relu", [x], { output: "r" }), "one-sided 0..Infinity"],
    ["Clip 0..6", (e: Emitter, x: Value) => e.emit("Clip", [x, bound(0), bound(6)], { output: "r" }), "one-sided 0..6"],
    ["Clip -1..2", (e: Emitter, x: Value) => e.emit("Clip", [x, bound(-1), bound(2)], { output: "r" }), "two-sided -1..2"],
    ["Clip -3..0", (e: Emitter, x: Value) => e.emit("Clip", [x, bound(-3), bound(0)], { output: "r" }), "two-sided -3..0"],
    ["Max of 0, then Min of 4", (e: Emitter, x: Value) => e.emit("Min", [e.emit("Max", [bound(0), x]), bound(4)], { output: "r" }), "one-sided 0..4"],
  ])("absorbs %s: saturation performs it", (_, activation, expected) => {
    const plan = planOf((e, x) => [conv(e, activation(e, conv(e, x, "c")), "y")]);
    expect(requestsOf(plan)).toEqual([`r from c ${expected} layer`, LAST, INPUT]);
    expect(plan.absorbed.size).toBe(/then/.test(_) ? 2 : 1);
    expect([...plan.stored].map(([output, stored]) => [output.name, stored.name])).toEqual([["c", "r"], ["y", "y"]]);
  }); // biome-ignore format: a table

  it("absorbs no clip whose bounds leave out zero: zero must have a code", () => {
    const plan = planOf((e, x) => [
      conv(e, e.emit("Clip", [conv(e, x, "c"), bound(0.5), bound(2)], { output: "r" }), "y"),
    ]);
    expect(requestsOf(plan)).toEqual([
      "c from c two-sided -Infinity..Infinity layer",
      LAST,
      INPUT,
      "r from r two-sided -Infinity..Infinity input",
    ]);
    expect(plan.absorbed.size).toBe(0);
  });

  it("absorbs nothing that others, or the caller, see the input of", () => {
    const read = planOf((e, x) => {
      const c = conv(e, x, "c");
      return [conv(e, e.emit("Relu", [c], { output: "r" }), "y"), e.emit("Tanh", [c])];
    });
    const given = planOf((e, x) => {
      const c = conv(e, x, "c");
      return [conv(e, e.emit("Relu", [c], { output: "r" }), "y"), c];
    });
    for (const plan of [read, given]) {
      expect(plan.absorbed.size).toBe(0);
      expect(requestsOf(plan)).toContain("c from c two-sided -Infinity..Infinity layer");
      expect(requestsOf(plan)).toContain("r from r two-sided -Infinity..Infinity input");
    }
  });

  it("gives other activation functions a grid after them, and one before", () => {
    const plan = planOf((e, x) => [conv(e, e.emit("Sigmoid", [conv(e, x, "c")], { output: "s" }), "y")]);
    expect(requestsOf(plan).join()).toContain("c from c two-sided");
    expect(requestsOf(plan).join()).toContain("s from s two-sided -Infinity..Infinity input");
    expect([...plan.stored.values()].map(({ name }) => name)).toEqual(["c", "y"]);
  });

  describe("between layers", () => {
    it("quantizes sums of quantized tensors again, with the ReLU after them", () => {
      const plan = planOf((e, x) => {
        const a = conv(e, x, "a");
        const sum = e.emit("Add", [conv(e, a, "b"), a], { output: "sum" });
        return [conv(e, e.emit("Relu", [sum], { output: "r" }), "y")];
      });
      expect(requestsOf(plan)).toContain("r from sum one-sided 0..Infinity sum");
    });

    it("leaves sums alone where the policy says so, and sums with anything that is in float", () => {
      const build: Build = (e, x) => {
        const a = conv(e, x, "a");
        return [conv(e, e.emit("Add", [conv(e, a, "b"), a], { output: "sum" }), "y")];
      };
      expect(requestsOf(planOf(build, { scores: true, sums: false })).join()).not.toContain("sum");
      const shifted = planOf((e, x) => {
        const gate = e.emit("Tanh", [conv(e, x, "a")]);
        return [conv(e, e.emit("Add", [conv(e, x, "b"), gate], { output: "sum" }), "y")];
      });
      expect(requestsOf(shifted)).toContain("sum from sum two-sided -Infinity..Infinity input");
    });

    it("quantizes pools by statistics of their own, and moves by those of what is moved", () => {
      const plan = planOf((e, x) => {
        const largest = e.emit("MaxPool", [conv(e, x, "a")], { output: "m", attributes: { kernel_shape: [2, 2] } });
        const turned = e.emit("Transpose", [largest], { output: "t", attributes: { perm: [0, 1, 3, 2] } });
        return [conv(e, e.emit("AveragePool", [turned], { output: "p", attributes: { kernel_shape: [2, 2] } }), "y")];
      });
      expect(requestsOf(plan)).toContain("p from p two-sided -Infinity..Infinity pool");
      expect([...plan.sameGridAs].map(([moved, source]) => `${moved.name} as ${source.name}`)).toEqual([
        "m as a",
        "t as m",
      ]);
    });

    it("moves codes through padding only if it pads with zeros", () => {
      const pads = (value?: Value): ActivationPlan =>
        planOf((e, x) => {
          const integers = constantValue("pads", int64([0, 0, 1, 1, 0, 0, 1, 1]));
          const padded = e.emit("Pad", [conv(e, x, "a"), integers, ...(value ? [value] : [])], { output: "p" });
          return [conv(e, padded, "y")];
        });
      expect([...pads().sameGridAs.keys()].map(({ name }) => name)).toEqual(["p"]);
      expect(pads(bound(0)).sameGridAs.size).toBe(1);
      expect(pads(bound(-1)).sameGridAs.size).toBe(0);
    });

    it("lets the parts of a concatenation share a grid if nothing else reads them and their bounds agree", () => {
      const joined = (left: (e: Emitter, x: Value) => Value, also?: true): ActivationPlan =>
        planOf((e, x) => {
          const [a, b] = [left(e, conv(e, x, "a", 2)), e.emit("Relu", [conv(e, x, "b", 2)], { output: "rb" })];
          const whole = e.emit("Concat", [a, b], { output: "whole", attributes: { axis: 1 } });
          return [conv(e, whole, "y"), ...(also ? [e.emit("Neg", [b])] : [])];
        });
      const relu = (e: Emitter, x: Value): Value => e.emit("Relu", [x], { output: "ra" });
      const shared = joined(relu).concatenations;
      expect([...shared].map(([whole, parts]) => [whole.name, ...parts.map(({ name }) => name)])).toEqual([
        ["whole", "ra", "rb"],
      ]);
      expect(joined(relu, true).concatenations.size).toBe(0);
      expect(joined((_, x) => x).concatenations.size).toBe(0);
      expect(joined((e, x) => e.emit("Clip", [x, bound(0), bound(6)])).concatenations.size).toBe(0);
    });
  });

  describe("at the end", () => {
    const classifier: Build = (e, x) => {
      const pooled = e.emit("Flatten", [e.emit("GlobalAveragePool", [conv(e, x, "c")], { output: "p" })]);
      return [e.emit("Gemm", [pooled, weights("head", [4, 10])], { output: "scores" })];
    };

    it("leaves scores in float, unless asked for them too", () => {
      expect(requestsOf(planOf(classifier)).join()).not.toContain("scores");
      const asked = planOf(classifier, { scores: true, sums: true });
      expect(requestsOf(asked)).toContain("scores from scores two-sided -Infinity..Infinity layer");
    });

    it("quantizes what a convolution gives, for it has no form with floats out, but not the pool after it", () => {
      const build: Build = (e, x) => {
        const scores = e.emit("GlobalAveragePool", [conv(e, conv(e, x, "c"), "y", 10)], { output: "p" });
        return [e.emit("Flatten", [scores])];
      };
      expect(requestsOf(planOf(build))).toEqual(["c from c two-sided -Infinity..Infinity layer", LAST, INPUT]);
      expect(planOf(build).sameGridAs.size).toBe(0);
      expect(requestsOf(planOf(build, { scores: true, sums: true }))).toContain(
        "p from p two-sided -Infinity..Infinity pool",
      );
    });
  });

  it("plans nothing around layers that have no integer form, but for what others need", () => {
    const plan = planOf((e, x) => {
      const up = e.emit("ConvTranspose", [x, weights("u", [4, 4, 2, 2])], { output: "u" });
      return [e.emit("ConvTranspose", [up, weights("v", [4, 4, 2, 2])], { output: "v" })];
    });
    expect(plan.requests.size).toBe(0);
  });
});
