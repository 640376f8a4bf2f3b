import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program, type Value } from "../../program/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, roundHalfEven, seededRandom, toNumbers } from "../../tensor/index.ts";
import { ConstantNumbers } from "./constant-numbers.ts";

it("rounds halves to the even number", () => {
  expect([-2.5, -1.5, -0.5, 0.4, 0.5, 1.5, 2.5, 2.6].map(roundHalfEven)).toEqual([-2, -2, 0, 0, 0, 2, 2, 3]);
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "numbers that follow from constants", () => {
  const random = seededRandom(3);
  const constant = (ops: Ops, shape: readonly number[]): Value =>
    ops.constant(
      float32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 3 * random.normal()),
      ),
    );

  it.each<[string, (ops: Ops) => Value]>([
    [
      "a scale",
      (ops) => ops.max(ops.div(ops.reduceMax(ops.abs(constant(ops, [4, 5])), { keepDims: false }), 127), 1e-8),
    ],
    ["scales of channels", (ops) => ops.reduceMin(constant(ops, [3, 4, 2]), { axes: [0, 2] })],
    ["a zero point", (ops) => ops.round(ops.neg(ops.div(constant(ops, [6]), constant(ops, [6]))))],
    ["weights turned", (ops) => ops.transpose(constant(ops, [2, 3, 4]), [2, 0, 1])],
    ["broadcasts both ways", (ops) => ops.sub(constant(ops, [3, 1, 2]), constant(ops, [4, 1]))],
    ["half of a range", (ops) => ops.split(constant(ops, [2]), 0, [1, 1])[1]!],
    [
      "weights of length 1",
      (ops) => {
        const v = constant(ops, [4, 6]);
        return ops.div(v, ops.sqrt(ops.reduceSum(ops.mul(v, v), { axes: [1] })));
      },
    ],
  ])("are those of ONNX Runtime: %s", async (_, write) => {
    const ops = new Ops();
    const value = write(ops);
    const found = new ConstantNumbers().of(value)!;
    ops.writer.graph.outputs = [ops.identity(value)];
    const program = new Program(ops.writer.graph, ops.writer.opsets);
    program.opsets.delete("modicum");
    const session = await (await nodeRuntime()).createSession(writeModel(program));
    const [expected] = Object.values(await session.run({}));
    await session.release();
    expect(found.shape).toEqual(expected!.shape);
    toNumbers(expected!).forEach((number, i) => void expect(found.data[i]).toBeCloseTo(number, 6));
  });

  it("are none where inputs take part, or an operator that is not known", () => {
    const ops = new Ops();
    const x = ops.input("x", "float32", [2]);
    const numbers = new ConstantNumbers();
    expect(numbers.of(ops.add(x, 1))).toBeUndefined();
    expect(numbers.of(ops.sin(constant(ops, [2])))).toBeUndefined();
  });
});
