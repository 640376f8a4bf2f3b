import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../errors.ts";
import { Emitter, Graph, Program, type Shape, Value } from "../program/index.ts";
import { type DType, type Tensor, toNumbers } from "../tensor/index.ts";
import type { Feeds } from "./options.ts";
import { programOf, weights } from "./small-models.cases.ts";
import { statisticsOf } from "./statistics.ts";
import { syntheticData } from "./synthetic.ts";

async function feedsOf(program: Program, seed = 0): Promise<Feeds[]> {
  const feeds: Feeds[] = [];
  for await (const batch of syntheticData(program, seed).batches()) feeds.push(batch);
  return feeds;
}

function withInput(dtype: DType | undefined, shape: Shape | undefined): Program {
  const x = new Value("x", dtype, shape);
  return new Program(new Graph("g", { inputs: [x], outputs: [x], nodes: new Emitter().nodes }));
}

async function onlyInput(dtype: DType, shape: Shape): Promise<Tensor> {
  return (await feedsOf(withInput(dtype, shape)))[0]!.x!;
}

describe("syntheticData", () => {
  it("makes sixteen batches, the same for the same seed", async () => {
    const program = withInput("float32", [null, 3, 16, 16]);
    const first = await feedsOf(program, 3);
    expect(first).toHaveLength(16);
    expect(await feedsOf(program, 3)).toEqual(first);
    expect(await feedsOf(program, 4)).not.toEqual(first);
    const data = syntheticData(program, 3);
    expect(data).toMatchObject({ count: 16, description: "synthetic input (seeded noise)" });
  });

  it("makes pictures of noise, of about mean 0 and deviation 1, smoother than plain noise", async () => {
    const feeds = await feedsOf(withInput("float32", [1, 3, 64, 64]));
    const values = Float32Array.from(feeds.flatMap(({ x }) => [...(x!.data as Float32Array)]));
    const { mean, standardDeviation } = statisticsOf(values);
    // 16 pictures of 3 planes with 4 coarse cells each: the mean of 192 cells of deviation 0.75.
    expect(Math.abs(mean)).toBeLessThan(0.2);
    expect(Math.abs(standardDeviation - 0.87)).toBeLessThan(0.15);
    let step = 0;
    for (let i = 1; i < values.length; i++) step += (values[i]! - values[i - 1]!) ** 2;
    // Neighbours of plain noise differ by twice the variance.
    expect(step / values.length).toBeLessThan(0.7 * 2 * standardDeviation ** 2);
  });

  it("gives every axis a length: one for the batch wherever it stands, 64 for others that are not known", async () => {
    expect((await onlyInput("float32", ["batch", null, "width", 3])).shape).toEqual([1, 64, 64, 3]);
    const program = programOf({ x: ["batch", 5], h: [2, "batch", "hidden"] }, (_, { x, h }) => [x!, h!]);
    expect((await feedsOf(program))[0]!.h!.shape).toEqual([2, 1, 64]);
  });

  it.each(["float16", "bfloat16", "float64"] as const)("makes noise in %s, too", async (dtype) => {
    const tensor = await onlyInput(dtype, [1, 100]);
    expect(tensor.dtype).toBe(dtype);
    expect(statisticsOf(Float32Array.from(toNumbers(tensor))).standardDeviation).toBeGreaterThan(0.5);
  });

  it("makes indices that every table has rows for", async () => {
    const program = programOf(
      { x: ["batch", 40] },
      (e, { x }) => [e.emit("Gather", [weights("a", [7, 2]), x!]), e.emit("Gather", [weights("b", [5, 2]), x!])],
      { dtype: "int64" },
    );
    const seen = new Set((await feedsOf(program)).flatMap(({ x }) => [...(x!.data as BigInt64Array)]));
    expect([...seen].sort()).toEqual([0n, 1n, 2n, 3n, 4n]);
    const masks = await onlyInput("int32", [1, 200]);
    expect([...new Set(masks.data as Int32Array)].sort()).toEqual([0, 1]);
  });

  it("makes zeros of types that are neither", async () => {
    expect(await onlyInput("bool", [1, 3])).toMatchObject({ dtype: "bool", data: new Uint8Array(3) });
    expect(await onlyInput("uint8", [1, 3])).toMatchObject({ dtype: "uint8", data: new Uint8Array(3) });
  });

  it.each([
    [undefined, [1], 'input "x" must be a tensor of known rank to be made up, got none. Give calibration data.'],
    ["float32", undefined, 'input "x" must be a tensor of known rank to be made up, got none. Give calibration data.'],
    ["string", [1], 'input "x" must be numeric to be made up, got string. Give calibration data.'],
    ["complex64", [1], 'input "x" must be numeric to be made up, got complex64. Give calibration data.'],
  ] as const)("refuses %s of shape %o", async (dtype, shape, message) => {
    const found = feedsOf(withInput(dtype, shape));
    await expect(found).rejects.toThrow(UnsupportedError);
    await expect(found).rejects.toThrow(message);
  });
});
