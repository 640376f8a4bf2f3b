import { describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, halfToNumber, numberToHalf, seededRandom } from "../tensor/index.ts";
import { type Accumulator, simulateFloat16 } from "./simulate-float16.ts";

const half = (x: number): number => halfToNumber(numberToHalf(x));

async function run(
  inputs: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>,
  build: (ops: Ops, values: readonly Value[]) => Value,
  options: Parameters<typeof simulateFloat16>[1] = {},
): Promise<number[]> {
  const ops = new Ops();
  const values = Object.entries(inputs).map(([name, [shape]]) => ops.input(name, "float32", shape));
  const y = build(ops, values);
  ops.writer.graph.outputs = [y];
  const program = simulateFloat16(new Program(ops.writer.graph, ops.writer.opsets), options);
  const session = await (await nodeRuntime()).createSession(writeModel(program));
  const feeds = Object.entries(inputs).map(([name, [shape, data]]) => [name, float32(shape, data)]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return [...(results[session.outputNames[0]!]!.data as Float32Array)];
}

describe("simulateFloat16", () => {
  it("rounds inputs, constants and every result", async () => {
    const x = [1 / 3, 1000.7, 2 ** -15];
    const y = await run({ x: [[3], x] }, (ops, [v]) => ops.add(ops.mul(v!, 1 / 7), 0.1));
    expect(y).toEqual(x.map((number) => half(half(half(number) * half(1 / 7)) + half(0.1))));
  });

  it("overflows above 65504 and vanishes below the smallest float16", async () => {
    const y = await run({ x: [[2], [300, 1e-5]] }, (ops, [v]) => ops.square(v!));
    expect(y).toEqual([Infinity, 0]);
  });

  it("leaves alone what is kept", async () => {
    const y = await run({ x: [[1], [1 / 3]] }, (ops, [v]) => ops.mul(v!, 1 / 7), { keep: () => true });
    expect(y).toEqual([Math.fround(Math.fround(1 / 3) * Math.fround(1 / 7))]);
  });

  it.each<[Accumulator, (terms: number[]) => number]>([
    ["float32", (terms) => half(terms.reduce((a, b) => a + b, 0))],
    ["sequential", (terms) => terms.reduce((a, b) => half(a + b), 0)],
    ["pairwise", pairwise],
  ])("forms sums with a %s accumulator", async (accumulator, expected) => {
    const random = seededRandom(1);
    const terms = Array.from({ length: 1001 }, () => half(random.uniform()));
    const sum = await run({ x: [[1001], terms] }, (ops, [v]) => ops.reduceSum(v!, { keepDims: false }), {
      accumulator,
    });
    expect(sum).toEqual([expected(terms)]);
    const row = await run(
      { a: [[1, 1001], terms], b: [[1001, 1], terms.map(() => 1)] },
      (ops, [a, b]) => ops.matMul(a!, b!),
      { accumulator },
    );
    expect(row).toEqual([expected(terms)]);
  });

  it("says which sums it cannot form with a float16 accumulator", async () => {
    const convolve = run(
      {
        x: [
          [1, 1, 4],
          [1, 2, 3, 4],
        ],
        w: [
          [1, 1, 2],
          [1, 1],
        ],
      },
      (ops, [x, w]) => ops.at("stem").conv(x!, w!),
      { accumulator: "pairwise" },
    );
    await expect(convolve).rejects.toThrow(
      "simulateFloat16: sums must be written as MatMul, ReduceSum or ReduceMean for a pairwise accumulator, got Conv (stem/Conv_0)",
    );
  });
});

function pairwise(terms: readonly number[]): number {
  if (terms.length === 1) return terms[0]!;
  const middle = Math.floor(terms.length / 2);
  const sums = terms.slice(0, middle).map((term, index) => half(term + terms[middle + index]!));
  return pairwise(terms.length % 2 === 0 ? sums : [...sums, terms.at(-1)!]);
}
