import { describe, expect, it } from "vitest";
import { constantValue, Emitter, Graph, Program, Value } from "../../program/index.ts";
import { Tensor } from "../../tensor/index.ts";
import { checkPass, numbers, operators, runtime } from "../check-pass.cases.ts";
import { inlineBranches } from "./inline-branches.ts";

/** `If` between Relu and Exp: one branch adds a constant of its own, the other passes an outer value on. */
function branching(condition: Value): Program {
  const x = new Value("x", "float32", [3]);
  const emitter = new Emitter();
  const relu = emitter.emit("Relu", [x]);
  const inner = new Emitter();
  const own = numbers("own", [3], [1, 2, 3]);
  const sum = inner.emit("Add", [relu, own]);
  const thenBranch = new Graph("then", { nodes: inner.nodes, outputs: [sum], initializers: [own] });
  const same = new Emitter();
  const elseBranch = new Graph("else", { outputs: [same.emit("Identity", [relu])], nodes: same.nodes });
  const attributes = { then_branch: thenBranch, else_branch: elseBranch };
  const chosen = emitter.emit("If", [condition], { attributes, output: "chosen", dtype: "float32", shape: [3] });
  const y = emitter.emit("Exp", [chosen], { output: "y", dtype: "float32", shape: [3] });
  const inputs = condition.constant ? [x] : [x, condition];
  return new Program(new Graph("g", { inputs, nodes: emitter.nodes, outputs: [y, chosen] }));
}

const flag = (value: number): Value => constantValue("flag", new Tensor("bool", [], Uint8Array.of(value)));

describe("inlineBranches", () => {
  it("takes the then branch of a true condition, with its constants", async () => {
    const inlined = await checkPass(inlineBranches, branching(flag(1)), { changes: 1 });
    expect(operators(inlined)).toEqual(["Relu", "Add", "Identity", "Exp"]);
    expect(inlined.graph.outputs.map(({ name }) => name)).toEqual(["y", "chosen"]);
  });

  it("takes the else branch of a false condition", async () => {
    const inlined = await checkPass(inlineBranches, branching(flag(0)), { changes: 1 });
    expect(operators(inlined)).toEqual(["Relu", "Identity", "Identity", "Exp"]);
  });

  it("leaves an If that depends on an input", () => {
    const program = branching(new Value("flag", "bool", []));
    expect(inlineBranches.run(program, { runtime })).toBe(0);
    expect(operators(program)).toEqual(["Relu", "If", "Exp"]);
  });
});
