import { beforeAll, describe, expect, it } from "vitest";
import { Ops, type RandomValues, Scope } from "../../src/build/index.ts";
import { ShapeError } from "../../src/errors.ts";
import { nn } from "../../src/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { tensorOf, toNumbers } from "../../src/tensor/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";
import { inputOf, type LayerCase } from "./layer-case.ts";
import { layerCases } from "./layers.cases.ts";
import { distance, signatureOf, wave } from "./reference.ts";
import { type RunSettings, runLayer } from "./run-layer.ts";

/** Layers that need a batch of known length, with the reason. */
const FIXED: ReadonlyMap<string, string> = new Map([
  ["multiHeadAttention to memory", "its memory is a constant of fixed length"],
  ["multiHeadAttention with a mask", "its mask is a constant of fixed length"],
]);

/** Numbers that need no generator. */
const random = (ops: Ops): RandomValues => ({
  uniform: (shape) =>
    ops.constant(
      tensorOf(
        "float32",
        shape,
        toNumbers(wave(shape)).map((x) => 0.49 + 0.49 * x),
      ),
    ),
  normal: (shape) => ops.constant(wave(shape)),
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "layers", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });
  const run = (one: LayerCase, settings: Partial<RunSettings>) =>
    runLayer(runtime, ({ x }, scope) => one.layer(x!, scope), { inputs: { x: inputOf(one) }, ...settings });

  const all: readonly LayerCase[] = [
    ...layerCases,
    { title: "dropout", layer: nn.dropout(0.3), shape: [3, 4] },
    { title: "residual", layer: nn.residual(nn.linear(4)), shape: [3, 4] },
    { title: "sequential", layer: nn.sequential([nn.linear(4), nn.relu(), nn.linear(2)]), shape: [3, 4] },
  ];

  describe.each(all)("$title", (one) => {
    it("has the shape that was known when it was built, in training and in use", async () => {
      for (const training of [true, false]) {
        const { y, declared } = await run(one, { training, random });
        expect(declared).toBe(`${y.dtype} [${y.shape.join(", ")}]`);
      }
    });

    it.skipIf(FIXED.has(one.title))("gives the same for a batch of open length", async () => {
      const fixed = await run(one, { training: false });
      const open = await run(one, { training: false, batch: "batch" });
      expect(open.declared).toMatch(/\[batch/);
      expect(open.y.shape).toEqual(fixed.y.shape);
      // Not always the same kernels, so not the same rounding.
      expect(distance(open.y, signatureOf(fixed.y))).toBeLessThan(1e-6);
    });
  });

  it("names the fixed ones for a reason", () => {
    expect([...FIXED.keys()].filter((title) => !all.some((one) => one.title === title))).toEqual([]);
  });
});

describe("an input of the wrong rank", () => {
  const refusing = layerCases.flatMap(({ layer, refuses }) =>
    refuses ? [[refuses[0], refuses[1], layer] as const] : [],
  );

  it.each(refusing)("is refused by %s with the layer's path: %j", (name, shape, layer) => {
    const ops = new Ops();
    const variables = { declare: () => ops.scalar(0), update: () => undefined };
    const scope = new Scope(ops, { variables, training: true }).child("encoder").child("stem");
    const build = () => layer(ops.input("x", "float32", shape), scope);
    expect(build).toThrow(ShapeError);
    const got = `\\[${shape.join(", ")}\\]`;
    expect(build).toThrow(
      new RegExp(
        `^${name} \\(encoder\\.stem\\): input must have rank \\d( or more)? \\[.*\\], got ${got}\\. .*reshape\\.$`,
      ),
    );
  });

  it("is refused in the words of the documentation", () => {
    const ops = new Ops();
    const variables = { declare: () => ops.scalar(0), update: () => undefined };
    const scope = new Scope(ops, { variables, training: true }).child("encoder").child("stem");
    expect(() => nn.conv({ channels: 8, kernel: 3 })(ops.input("x", "float32", [8, 28, 28]), scope)).toThrow(
      "conv (encoder.stem): input must have rank 4 [batch, channels, height, width], got [8, 28, 28]. " +
        "Add the batch axis with reshape.",
    );
  });
});
