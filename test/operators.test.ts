/** Every operator's shape, type and cost rules, against ONNX Runtime. */
import { beforeAll, describe, expect, it } from "vitest";
import { operators } from "../src/ops/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
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

  it("fail the check when a shape, a type or a count is wrong", async () => {
    const right = single("MatMul", [input([2, 3]), input([3, 4])], { macs: 24 });
    expect(await checkOperator(right, runtime)).toEqual([]);
    expect(await checkOperator({ ...right, macs: 23 }, runtime)).toHaveLength(1);
    expect(await checkOperator({ ...right, expected: ["float32 [2, 5]"] }, runtime)).not.toEqual([]);
    expect(await checkOperator({ ...right, expected: ["float32 [2, 4, 1]"] }, runtime)).not.toEqual([]);
    expect(await checkOperator({ ...right, expected: ["float64 [2, 4]"] }, runtime)).not.toEqual([]);
  });
});
