import { describe, expect, it } from "vitest";
import type { Emitter, Value } from "../../program/index.ts";
import { numbers, programOf } from "../check-pass.cases.ts";
import { type Activation, followActivation } from "./activation.ts";

type Build = (emitter: Emitter, x: Value) => Value;
const scalar = (value: number): Value => numbers("c", [], [value]);

/** The activation found after a Neg, with the name of what comes out: "y" when all nodes of `build` were recognized. */
function found(build: Build, opset = 20): Activation & { readonly result: string } {
  let x: Value | undefined;
  const program = programOf(
    { x: [2, 3] },
    (emitter, inputs) => {
      x = emitter.emit("Neg", [inputs.x]);
      const y = build(emitter, x);
      y.name = "y";
      return [y];
    },
    { opset },
  );
  const { activation, result } = followActivation(x!, program, program.graph.uses());
  return { ...activation, result: result.name };
}

describe("followActivation", () => {
  it.each<[string, number, number, Build, number?]>([
    ["relu", 0, Infinity, (e, x) => e.emit("Relu", [x])],
    ["relu", 0, Infinity, (e, x) => e.emit("Max", [scalar(0), x])],
    ["relu", 0, Infinity, (e, x) => e.emit("Clip", [x, scalar(0)])],
    ["relu", 0, Infinity, (e, x) => e.emit("Clip", [x, scalar(0), scalar(3.4028234e38)])],
    ["relu6", 0, 6, (e, x) => e.emit("Clip", [x, scalar(0), scalar(6)])],
    ["relu6", 0, 6, (e, x) => e.emit("Clip", [x], { attributes: { min: { float: 0 }, max: { float: 6 } } }), 10],
    ["relu6", 0, 6, (e, x) => e.emit("Min", [e.emit("Relu", [x]), scalar(6)])],
    ["clip", -1, 1, (e, x) => e.emit("Clip", [x, scalar(-1), scalar(1)])],
    ["clip", 2, 3, (e, x) => e.emit("Clip", [x, scalar(2), scalar(3)])],
    ["leaky-relu", -Infinity, Infinity, (e, x) => e.emit("LeakyRelu", [x])],
    ["prelu", -Infinity, Infinity, (e, x) => e.emit("PRelu", [x, scalar(0.1)])],
    ["sigmoid", 0, 1, (e, x) => e.emit("Sigmoid", [x])],
    ["hard-sigmoid", 0, 1, (e, x) => e.emit("HardSigmoid", [x])],
    ["tanh", -1, 1, (e, x) => e.emit("Tanh", [x])],
    ["softplus", 0, Infinity, (e, x) => e.emit("Softplus", [x])],
    ["hard-swish", -0.375, Infinity, (e, x) => e.emit("HardSwish", [x])],
    ["gelu", -0.17, Infinity, (e, x) => e.emit("Gelu", [x])],
  ])("recognizes %s with bounds %d and %d", (name, low, high, build, opset) => {
    expect(found(build, opset)).toMatchObject({ function: name, low, high, result: "y" });
  });

  it.each<[string, Build]>([
    ["silu", (e, x) => e.emit("Mul", [x, e.emit("Sigmoid", [x])])],
    ["silu", (e, x) => e.emit("Mul", [e.emit("Sigmoid", [x]), x])],
    ["mish", (e, x) => e.emit("Mul", [x, e.emit("Tanh", [e.emit("Softplus", [x])])])],
    ["hard-swish", (e, x) => e.emit("Mul", [x, e.emit("HardSigmoid", [x], { attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } } })])],
    ["hard-swish", (e, x) => e.emit("Div", [e.emit("Mul", [x, e.emit("Clip", [e.emit("Add", [x, scalar(3)]), scalar(0), scalar(6)])]), scalar(6)])],
    ["hard-swish", (e, x) => e.emit("Mul", [x, e.emit("Div", [e.emit("Clip", [e.emit("Add", [x, scalar(3)]), scalar(0), scalar(6)]), scalar(6)])])],
    ["gelu", (e, x) => {
      const gate = e.emit("Add", [e.emit("Erf", [e.emit("Div", [x, scalar(Math.SQRT2)])]), scalar(1)]);
      return e.emit("Mul", [e.emit("Mul", [x, gate]), scalar(0.5)]);
    }],
  ])("recognizes %s in primitive nodes", (name, build) => {
    const activation = found(build);
    expect(activation).toMatchObject({ function: name, result: "y" });
    expect(activation.low).toBeLessThan(0);
  }); // biome-ignore format: a table

  it.each<[string, Build]>([
    ["a gate with another slope", (e, x) => e.emit("Mul", [x, e.emit("HardSigmoid", [x])])],
    ["a gate of another value", (e, x) => e.emit("Mul", [e.emit("Exp", [x]), e.emit("Sigmoid", [x])])],
    ["bounds that are not constant", (e, x) => e.emit("Max", [x, e.emit("Abs", [x])])],
    ["an exponential", (e, x) => e.emit("Exp", [x])],
  ])("finds none in %s", (_, build) => {
    expect(found(build)).toMatchObject({ function: "none", low: -Infinity, high: Infinity, nodes: [] });
  });

  it("finds none where the value before it is used elsewhere or is an output", () => {
    const program = programOf({ x: [2, 3] }, (emitter, { x }) => {
      const before = emitter.emit("Neg", [x], { output: "before" });
      return [emitter.emit("Relu", [before]), before];
    });
    const [, before] = program.graph.outputs;
    expect(followActivation(before!, program, program.graph.uses()).activation.function).toBe("none");
  });
});
