import { describe, expect, it } from "vitest";
import {
  cloneProgram,
  constantValue,
  Emitter,
  Graph,
  type NodeOptions,
  type Program,
  type Value,
} from "../../program/index.ts";
import { numberToHalf, Tensor, toNumbers } from "../../tensor/index.ts";
import { checkPass, numbers, operators, programOf, randomFeeds, runtime, weights } from "../check-pass.cases.ts";
import { outputDifference } from "../difference.ts";
import type { Pass } from "../pass.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";

/** Batch norm parameters that differ from channel to channel, so that a wrong channel order shows. */
function batchNorm(emitter: Emitter, x: Value, channels: number, options: NodeOptions = {}, output = "y"): Value {
  const each = (of: (channel: number) => number): number[] => Array.from({ length: channels }, (_, i) => of(i));
  const parameters = [
    numbers(
      "gamma",
      [channels],
      each((i) => 0.5 + i),
    ),
    numbers(
      "beta",
      [channels],
      each((i) => i - 1),
    ),
    numbers(
      "mean",
      [channels],
      each((i) => 0.3 * i),
    ),
    numbers(
      "variance",
      [channels],
      each((i) => 0.2 + i * i),
    ),
  ];
  return emitter.emit("BatchNormalization", [x, ...parameters], { ...options, output });
}

interface Case {
  readonly title: string;
  readonly operator: string;
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly channels: number;
  readonly attributes?: NodeOptions["attributes"];
}

const cases: readonly Case[] = [
  { title: "a convolution", operator: "Conv", input: [2, 3, 6, 6], weight: [4, 3, 3, 3], channels: 4 },
  { title: "a 1-D convolution", operator: "Conv", input: [2, 3, 9], weight: [4, 3, 3], channels: 4 },
  { title: "a 3-D convolution", operator: "Conv", input: [1, 2, 4, 4, 4], weight: [3, 2, 2, 2, 2], channels: 3 },
  { title: "a grouped convolution", operator: "Conv", input: [2, 6, 5, 5], weight: [4, 3, 3, 3], channels: 4, attributes: { group: 2 } },
  { title: "a depthwise convolution", operator: "Conv", input: [2, 5, 5, 5], weight: [5, 1, 3, 3], channels: 5, attributes: { group: 5 } },
  { title: "a transposed convolution", operator: "ConvTranspose", input: [2, 3, 5, 5], weight: [3, 4, 2, 2], channels: 4, attributes: { strides: [2, 2] } },
  { title: "a grouped transposed convolution", operator: "ConvTranspose", input: [2, 6, 4, 4], weight: [6, 2, 3, 3], channels: 4, attributes: { group: 2 } },
  { title: "a Gemm", operator: "Gemm", input: [3, 7], weight: [7, 4], channels: 4 },
  { title: "a Gemm with transposed weights", operator: "Gemm", input: [3, 7], weight: [4, 7], channels: 4, attributes: { transB: 1 } },
  { title: "a Gemm with factors", operator: "Gemm", input: [3, 7], weight: [4, 7], channels: 4, attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 3 } } },
]; // biome-ignore format: a table

function normalized({ operator, input, weight, channels, attributes }: Case, bias: Value | undefined): Program {
  return programOf({ x: input }, (emitter, { x }) => {
    const inputs = bias ? [x, weights("layer.weight", weight), bias] : [x, weights("layer.weight", weight)];
    const options = attributes ? { attributes, name: "layer" } : { name: "layer" };
    return [batchNorm(emitter, emitter.emit(operator, inputs, options), channels)];
  });
}

describe("foldBatchNorm", () => {
  it.each(cases)("keeps the outputs of $title without a bias", async (one) => {
    const folded = await checkPass(foldBatchNorm, normalized(one, undefined), { changes: 1 });
    expect(operators(folded)).toEqual([one.operator]);
    expect(folded.graph.nodes[0]!.inputs[2]!.name).toBe("layer.bias");
    expect(folded.graph.outputs[0]!.name).toBe("y");
  });

  it.each(cases)("keeps the outputs of $title with a bias", async (one) => {
    const folded = await checkPass(foldBatchNorm, normalized(one, weights("b", [one.channels])), { changes: 1 });
    expect(operators(folded)).toEqual([one.operator]);
  });

  it("keeps the outputs of a Gemm with one number as its bias", async () => {
    await checkPass(foldBatchNorm, normalized(cases[7]!, numbers("b", [1], [2])), { changes: 1 });
  });

  it("computes w g and (b - mean) g + beta: w 2, b 5, gamma 3, variance 8 + 1, mean 4, beta 1 give 2 and 2", async () => {
    const program = programOf({ x: [1, 1, 1, 1] }, (emitter, { x }) => {
      const conv = emitter.emit("Conv", [x, numbers("w", [1, 1, 1, 1], [2]), numbers("b", [1], [5])]);
      const parameters = [3, 1, 4, 8].map((value, index) => numbers(`p${index}`, [1], [value]));
      return [emitter.emit("BatchNormalization", [conv, ...parameters], { attributes: { epsilon: { float: 1 } } })];
    });
    const [conv] = (await checkPass(foldBatchNorm, program, { changes: 1 })).graph.nodes;
    expect([...toNumbers(conv!.inputs[1]!.constant!.load())]).toEqual([2]);
    expect([...toNumbers(conv!.inputs[2]!.constant!.load())]).toEqual([2]);
  });

  it("leaves shared weights as they are for their other user", async () => {
    const program = programOf({ x: [1, 3, 5, 5] }, (emitter, { x }) => {
      const shared = weights("w", [3, 3, 3, 3]);
      const attributes = { pads: [1, 1, 1, 1] };
      const first = batchNorm(emitter, emitter.emit("Conv", [x, shared], { attributes }), 3, {}, "first");
      return [emitter.emit("Conv", [first, shared], { attributes, output: "second" })];
    });
    const folded = await checkPass(foldBatchNorm, program, { changes: 1 });
    expect(folded.graph.nodes[0]!.inputs[1]).not.toBe(folded.graph.nodes[1]!.inputs[1]);
  });

  it("folds float16 layers within float16's rounding", async () => {
    const half = (value: Value): Value => {
      const { shape, load } = value.constant!;
      return constantValue(value.name, new Tensor("float16", shape, Uint16Array.from(toNumbers(load()), numberToHalf)));
    };
    const program = programOf(
      { x: [1, 3, 5, 5] },
      (emitter, { x }) => {
        const conv = emitter.emit("Conv", [x, half(weights("w", [2, 3, 3, 3], 0.2))]);
        const parameters = ["gamma", "beta", "mean", "variance"].map((name) => half(numbers(name, [2], [0.5, 1.5])));
        return [emitter.emit("BatchNormalization", [conv, ...parameters])];
      },
      { dtype: "float16" },
    );
    // Half precision rounds weights and outputs to 2^-11 each; a sum of 27 products averages that down.
    const folded = await checkPass(foldBatchNorm, program, { changes: 1, tolerance: 2e-3 });
    expect(folded.graph.nodes[0]!.inputs[1]!.constant!.dtype).toBe("float16");
  });

  it.each<[string, (emitter: Emitter, x: Value) => Value[], number?]>([
    ["when the convolution's output is used elsewhere", (emitter, x) => {
      const conv = emitter.emit("Conv", [x, weights("w", [3, 3, 1, 1])]);
      return [emitter.emit("Add", [batchNorm(emitter, conv, 3), conv])];
    }],
    ["when the convolution's output is an output of the model", (emitter, x) => {
      const conv = emitter.emit("Conv", [x, weights("w", [3, 3, 1, 1])]);
      return [batchNorm(emitter, conv, 3), conv];
    }],
    ["when there is a nonlinearity between", (emitter, x) =>
      [batchNorm(emitter, emitter.emit("Relu", [emitter.emit("Conv", [x, weights("w", [3, 3, 1, 1])])]), 3)]],
    ["when the weights are not constant", (emitter, x) => {
      const computed = emitter.emit("Mul", [x, weights("w", [1, 3, 1, 1])]);
      return [batchNorm(emitter, emitter.emit("Conv", [x, computed]), 1)];
    }],
    ["when a parameter is not a number", (emitter, x) => {
      const conv = emitter.emit("Conv", [x, weights("w", [1, 3, 1, 1])]);
      const parameters = [1, 0, 0, -1].map((value, index) => numbers(`p${index}`, [1], [value]));
      return [emitter.emit("BatchNormalization", [conv, ...parameters])];
    }],
  ])("does not fold %s", async (_, build) => {
    const program = programOf({ x: [1, 3, 3, 3] }, (emitter, { x }) => build(emitter, x!));
    await checkPass(foldBatchNorm, program, { changes: 0 });
  }); // biome-ignore format: a table

  it("does not fold when a sub-graph uses the convolution's output", async () => {
    const program = programOf({ x: [1, 3, 3, 3], flag: [1] }, (emitter, { x, flag }) => {
      const conv = emitter.emit("Conv", [x, weights("w", [3, 3, 1, 1])]);
      const normal = batchNorm(emitter, conv, 3);
      const branch = (name: string, operator: string): Graph => {
        const inner = new Emitter();
        const output = inner.emit(operator, [conv], { output: name });
        return new Graph(name, { nodes: inner.nodes, outputs: [output] });
      };
      const condition = emitter.emit("Cast", [flag], { attributes: { to: 9 } });
      const attributes = { then_branch: branch("then", "Relu"), else_branch: branch("else", "Neg") };
      return [normal, emitter.emit("If", [condition], { attributes })];
    });
    await checkPass(foldBatchNorm, program, { changes: 0 });
  });

  it("does not fold in training mode, nor with statistics per position", () => {
    for (const [attributes, opset] of [
      [{ training_mode: 1 }, 15],
      [{ spatial: 0 }, 8],
    ] as const) {
      const program = programOf(
        { x: [2, 3, 1, 1] },
        (emitter, { x }) => [
          batchNorm(emitter, emitter.emit("Conv", [x, weights("w", [3, 3, 1, 1])]), 3, { attributes }),
        ],
        { opset },
      );
      expect(foldBatchNorm.run(program, { runtime })).toBe(0);
    }
  });

  it("is caught by the check when it is wrong (negative control)", async () => {
    const forgetsShift: Pass = {
      ...foldBatchNorm,
      run(program, context) {
        const changes = foldBatchNorm.run(program, context);
        for (const node of program.graph.nodes) node.inputs.length = 2;
        return changes;
      },
    };
    const program = normalized(cases[0]!, undefined);
    const { program: copy } = cloneProgram(program);
    await forgetsShift.run(copy, { runtime });
    const difference = await outputDifference(program, copy, { runtime, feeds: randomFeeds(program) });
    expect(difference.relative).toBeGreaterThan(1e-2);
  });
});
