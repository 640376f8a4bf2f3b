import { beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { describeUnless, reasonWithoutNodeWebGpu, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { runInNodeWebGpu } from "../support/node-webgpu.ts";
import { allDifferences, layerDifferences, lossDifferences } from "./compare-with-pytorch.ts";
import type { LayerCase } from "./layer-case.ts";
import { layerCases } from "./layers.cases.ts";
import { lossCases } from "./losses.cases.ts";
import { reference } from "./reference.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "values, gradients and statistics agree with PyTorch's", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each(layerCases)("of the layer $title", async (one) => {
    expect(await layerDifferences(runtime, one)).toEqual([]);
  });

  it.each(lossCases)("of the loss $title", async (one) => {
    expect(await lossDifferences(runtime, one)).toEqual([]);
  });

  it("for all layers and losses that there are numbers of", () => {
    expect(layerCases.map(({ title }) => title).sort()).toEqual(Object.keys(reference.layers).sort());
    expect(lossCases.map(({ title }) => title).sort()).toEqual(Object.keys(reference.losses).sort());
  });

  it("not for a layer that is a little off", async () => {
    const [first] = layerCases as [LayerCase];
    const off = { ...first, layer: ((x, scope) => scope.ops.mul(first.layer(x, scope), 1.0001)) as LayerCase["layer"] };
    expect(await layerDifferences(runtime, off)).toEqual(["y", "x", "weight", "bias"]);
  });
});

describe("on other devices", () => {
  it("layers and losses agree in WebAssembly", async () => {
    expect(await allDifferences(await nodeRuntime({ device: "wasm", threads: 1 }))).toEqual([]);
  });

  describeUnless(reasonWithoutNodeWebGpu(), "with a software renderer", () => {
    it("layers and losses agree on WebGPU", { timeout: 300_000 }, async () => {
      expect(await runInNodeWebGpu<string[]>(new URL("./pytorch.node.ts", import.meta.url))).toEqual([]);
    });
  });
});
