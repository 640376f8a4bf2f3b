import { describe, expect, it } from "vitest";
import { findLayers } from "../prepare/index.ts";
import { constantValue, type Emitter, type Program, type Value } from "../program/index.ts";
import { float32 } from "../tensor/index.ts";
import { planActivations } from "./activation-plan.ts";
import { run } from "./lowering/lower-model.cases.ts";
import { quantize } from "./quantize.ts";
import { channelScalesFor, scalableResults } from "./scaled-channels.ts";
import {
  dataOf,
  normals,
  numbers,
  operators,
  programOf,
  randomFeeds,
  runtime,
  sqnrDb,
  weights,
} from "./small-models.cases.ts";

/** A pointwise convolution to 8 channels of sizes that differ up to 100 times. */
function spread(e: Emitter, x: Value, output: string): Value {
  const values = normals(3, 8 * 4, 0.4).map((value, i) => value * [1, 0.3, 0.1, 0.03, 1, 0.5, 0.02, 0.01][i >> 2]!);
  return e.emit("Conv", [x, constantValue("w", float32([8, 4, 1, 1], values))], { output });
}

/** A depthwise convolution whose weights make up for the sizes. */
function depthwise(e: Emitter, x: Value, output: string): Value {
  const values = normals(4, 8 * 9, 0.4).map(
    (value, i) => value / [1, 0.3, 0.1, 0.03, 1, 0.5, 0.02, 0.01][Math.floor(i / 9)]!,
  );
  const w = constantValue("d", float32([8, 1, 3, 3], values));
  return e.emit("Conv", [x, w], { output, attributes: { group: 8 } });
}

function modelOf(build: (e: Emitter, x: Value) => readonly Value[]): Program {
  return programOf({ x: ["batch", 4, 8, 8] }, (e, { x }) => build(e, x!));
}

/** Names of the results that can be scaled. */
function scalable(program: Program): string[] {
  const layers = findLayers(program);
  const plan = planActivations(program, layers, { scores: false, sums: true });
  return [...scalableResults(program, layers, plan)].map(({ name }) => name);
}

const bound = (value: number): Value => numbers("bound", [], [value]);

describe("scalableResults", () => {
  it("finds what only depthwise convolutions read, behind ReLU and ReLU6 too", () => {
    expect(scalable(modelOf((e, x) => [depthwise(e, spread(e, x, "c"), "y")]))).toEqual(["c"]);
    expect(
      scalable(modelOf((e, x) => [depthwise(e, e.emit("Relu", [spread(e, x, "c")], { output: "r" }), "y")])),
    ).toEqual(["r"]);
    expect(
      scalable(
        modelOf((e, x) => [
          depthwise(e, e.emit("Clip", [spread(e, x, "c"), bound(0), bound(6)], { output: "r" }), "y"),
        ]),
      ),
    ).toEqual(["r"]);
  });

  it("leaves alone what other layers, sums or outputs read, and what is bounded below zero", () => {
    const tail = weights("t", [4, 8, 1, 1]);
    expect(scalable(modelOf((e, x) => [e.emit("Conv", [spread(e, x, "c"), tail])]))).toEqual([]);
    expect(
      scalable(
        modelOf((e, x) => {
          const c = spread(e, x, "c");
          return [depthwise(e, c, "y"), e.emit("Conv", [c, tail])];
        }),
      ),
    ).toEqual([]);
    expect(
      scalable(
        modelOf((e, x) => {
          const c = spread(e, x, "c");
          return [depthwise(e, c, "y"), c];
        }),
      ),
    ).toEqual([]);
    expect(
      scalable(
        modelOf((e, x) => [
          depthwise(e, e.emit("Clip", [spread(e, x, "c"), bound(-1), bound(6)], { output: "r" }), "y"),
        ]),
      ),
    ).toEqual([]);
  });
});

describe("scales of channels", () => {
  it("are the largest magnitudes, none below an eighth of the largest", () => {
    const channels = [
      { min: 0, max: 4 },
      { min: -2, max: 1 },
      { min: 0, max: 0.1 },
      { min: 0, max: 0 },
    ];
    expect([...channelScalesFor(channels)]).toEqual([4, 2, 0.5, 0.5]);
    expect([...channelScalesFor([{ min: 0, max: 0 }])]).toEqual([1]);
  });

  it.each(["two-sided", "relu", "relu6"])(
    "keep small channels that one scale for all would lose, %s, in plain integers",
    async (kind) => {
      const program = modelOf((e, x) => {
        const c = spread(e, x, "c");
        const a =
          kind === "relu" ? e.emit("Relu", [c]) : kind === "relu6" ? e.emit("Clip", [c, bound(0), bound(6)]) : c;
        return [depthwise(e, a, "y")];
      });
      const batches = [1, 2, 3].map((seed) => randomFeeds(program, seed, { lengths: { batch: 4 } }));
      const expected = await run(program, batches[0]!);
      const decibels = async (target: "cpu" | "portable"): Promise<number> => {
        const made = await quantize(program, { runtime, target, policy: "uniform", calibration: dataOf(batches) });
        if (target === "cpu") {
          expect(operators(made.program)).toEqual(["QuantizeLinear", "QLinearConv", "QLinearConv", "DequantizeLinear"]);
          // What the report measures is in the numbers' own units.
          for (const { sqnrDb: measured } of made.report.layers) expect(measured).toBeGreaterThan(25);
        }
        return sqnrDb(expected, await run(made.program, batches[0]!));
      };
      const [own, shared] = [await decibels("cpu"), await decibels("portable")];
      expect(own).toBeGreaterThan(shared + 5);
    },
  );
});
