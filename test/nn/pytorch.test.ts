import { beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { inputOf, type LayerCase } from "./layer-case.ts";
import { layerCases } from "./layers.cases.ts";
import { lossCases } from "./losses.cases.ts";
import { distance, type ReferenceRun, reference, wave } from "./reference.ts";
import { type RunResult, runLayer } from "./run-layer.ts";

/** float32 has 6e-8; the longest chains here (attention, recurrences) add up some tens of them. PyTorch ran in float64. */
const TOLERANCE = 5e-6;

describeUnless(reasonWithoutOnnxRuntimeNode(), "PyTorch", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  describe("layers", () => {
    it("are all compared", () => {
      expect(layerCases.map(({ title }) => title).sort()).toEqual(Object.keys(reference.layers).sort());
    });

    it.each(layerCases)("$title: values, gradients and statistics agree", async (one) => {
      expect(differences(await run(one), reference.layers[one.title]!)).toEqual([]);
    });

    it("are not compared too kindly", async () => {
      const [first] = layerCases as [LayerCase];
      const result = await run({ ...first, layer: (x, scope) => scope.ops.mul(first.layer(x, scope), 1.0001) });
      expect(differences(result, reference.layers[first.title]!)).toEqual(["y", "x", "weight", "bias"]);
    });
  });

  describe("losses", () => {
    it("are all compared", () => {
      expect(lossCases.map(({ title }) => title).sort()).toEqual(Object.keys(reference.losses).sort());
    });

    it.each(lossCases)("$title: values and gradients agree", async ({ title, loss, target, shape = [4, 5] }) => {
      const inputs = { x: wave(shape, 0.1, 2), target };
      const weights = (of: readonly number[]) => wave(of, 0.3);
      const result = await runLayer(runtime, ({ x, target }, scope) => loss(x!, target!, scope), { inputs, weights });
      expect(differences(result, reference.losses[title]!)).toEqual([]);
    });
  });

  function run(one: LayerCase): Promise<RunResult> {
    let parameters = 0;
    return runLayer(runtime, ({ x }, scope) => one.layer(x!, scope), {
      inputs: { x: inputOf(one) },
      training: one.training ?? true,
      variable: (path, { role, shape }) =>
        role === "parameter" ? wave(shape, ++parameters, 0.5) : one.statistics?.[path],
      weights: (shape) => wave(shape, 0.3),
    });
  }
});

/** Returns what differs: y, gradients, updates. */
function differences(result: RunResult, expected: ReferenceRun): string[] {
  const compare = (name: string, actual: typeof result.y | undefined, signature: ReferenceRun["y"]) =>
    actual && distance(actual, signature) <= TOLERANCE ? [] : [name];
  return [
    ...compare("y", result.y, expected.y),
    ...Object.entries(expected.gradients).flatMap(([path, of]) => compare(path, result.gradients[path], of)),
    ...Object.entries(expected.updates ?? {}).flatMap(([path, of]) => compare(path, result.updates[path], of)),
  ];
}
