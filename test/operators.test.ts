/** Every operator's shape, type and cost rules, against ONNX Runtime. */
import { beforeAll, describe, expect, it } from "vitest";
import { ModicumError } from "../src/errors.ts";
import { countMacs, inferShapes, operators } from "../src/ops/index.ts";
import { cloneProgram, constantValue, type Dimension, type Program } from "../src/program/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { int64, type Random, seededRandom } from "../src/tensor/index.ts";
import { checkOperator } from "./operators/check-operator.ts";
import { controlCases } from "./operators/control.cases.ts";
import { elementwiseCases } from "./operators/elementwise.cases.ts";
import { movementCases } from "./operators/movement.cases.ts";
import { networkCases } from "./operators/network.cases.ts";
import { input, type OperatorCase, single } from "./operators/operator-case.ts";

const cases: readonly OperatorCase[] = [...elementwiseCases, ...networkCases, ...movementCases, ...controlCases];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
}, 60_000);

describe("operators", () => {
  it.each(cases.map((subject) => [subject.title, subject] as const))(
    "%s: rules agree with what is run",
    async (_, subject) => {
      expect(await checkOperator(subject, runtime)).toEqual([]);
    },
  );

  it("all have a case", () => {
    const covered = new Set(cases.flatMap((subject) => subject.covers));
    const names = operators.map((operator) => `${operator.domain}:${operator.name}`);
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it("are listed once each", () => {
    const names = operators.map((operator) => `${operator.domain}:${operator.name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("refuse nonsense with a message of ours, whatever the inputs and attributes", () => {
    const failures = new Set<string>();
    for (const subject of cases) {
      for (let seed = 1; seed <= 40; seed++) {
        const program = scrambled(subject.program, seededRandom(seed));
        try {
          inferShapes(program);
          countMacs(program);
        } catch (error) {
          const ours = error instanceof ModicumError && !error.message.startsWith("internal");
          if (!ours) failures.add(`${subject.title}: ${(error as Error).message}`);
        }
      }
    }
    expect([...failures]).toEqual([]);
  });

  it("fail the check when a shape, a type or a count is wrong", async () => {
    const right = single("MatMul", [input([2, 3]), input([3, 4])], { macs: 24 });
    expect(await checkOperator(right, runtime)).toEqual([]);
    expect(await checkOperator({ ...right, macs: 23 }, runtime)).toHaveLength(1);
    expect(await checkOperator({ ...right, expected: ["float32 [2, 5]"] }, runtime)).not.toEqual([]);
    expect(await checkOperator({ ...right, expected: ["float32 [2, 4, 1]"] }, runtime)).not.toEqual([]);
    expect(await checkOperator({ ...right, expected: ["float64 [2, 4]"] }, runtime)).not.toEqual([]);
  });
});

/** Copies a program with other shapes, types, constants and attributes, and some inputs missing. */
function scrambled(program: Program, random: Random): Program {
  const copy = cloneProgram(program).program;
  const length = (): Dimension => [0, 1, 2, 3, 5, "n", null][random.integer(7)]!;
  const shape = (): Dimension[] => Array.from({ length: random.integer(6) }, length);
  for (const value of copy.graph.inputs) {
    value.shape = random.uniform() < 0.1 ? undefined : shape();
    value.dtype = (["float32", "int64", "bool", "uint8", undefined] as const)[random.integer(5)];
  }
  for (const node of copy.allNodes()) {
    node.inputs.forEach((value, index) => {
      const fate = random.uniform();
      if (fate < 0.1) node.inputs[index] = undefined;
      else if (value?.constant && fate < 0.6) {
        const numbers = Array.from({ length: random.integer(5) }, () => random.integer(9) - 3);
        node.inputs[index] = constantValue("scrambled", int64(numbers));
      }
    });
    if (random.uniform() < 0.1) node.inputs.length = 0;
    for (const [name, attribute] of node.attributes) {
      const fate = random.uniform();
      if (fate < 0.1) node.attributes.delete(name);
      else if (attribute.kind === "int" && fate < 0.5) node.set(name, random.integer(9) - 3);
      else if (attribute.kind === "ints" && fate < 0.5)
        node.set(
          name,
          attribute.value.map(() => random.integer(9) - 3),
        );
      else if (attribute.kind === "string" && fate < 0.3) node.set(name, "...a,b->");
    }
  }
  return copy;
}
