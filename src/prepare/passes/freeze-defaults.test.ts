import { describe, expect, it } from "vitest";
import type { Program, Value } from "../../program/index.ts";
import { numbers, programOf, runtime } from "../check-pass.cases.ts";
import { freezeDefaults } from "./freeze-defaults.ts";

function withDefaults(irVersion: number, listed: (constants: readonly Value[]) => readonly Value[]): Program {
  const constants = [numbers("w", [2], [1, 2]), numbers("b", [2], [3, 4])];
  const program = programOf({ x: [2] }, (emitter, { x }) => [
    emitter.emit("Add", [emitter.emit("Mul", [x, constants[0]]), constants[1]]),
  ]);
  program.irVersion = irVersion;
  program.graph.initializers.push(...constants);
  program.graph.inputs.push(...listed(constants));
  return program;
}

describe("freezeDefaults", () => {
  it("makes constants of every input with a default before IR version 4", () => {
    const program = withDefaults(3, ([w]) => [w!]);
    expect(freezeDefaults.run(program, { runtime })).toBe(1);
    expect(program.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("makes constants of them in newer models where all constants are listed, as some exporters do", () => {
    const program = withDefaults(8, (all) => all);
    expect(freezeDefaults.run(program, { runtime })).toBe(2);
    expect(program.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("leaves a real optional input", () => {
    const program = withDefaults(8, ([w]) => [w!]);
    expect(freezeDefaults.run(program, { runtime })).toBe(0);
    expect(program.graph.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
  });
});
