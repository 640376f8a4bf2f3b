import { describe, expect, it } from "vitest";
import { writeModel } from "../../onnx/index.ts";
import { findLayers, type Layer, prepareProgram } from "../../prepare/index.ts";
import { Emitter, Value } from "../../program/index.ts";
import { float32, type Tensor, toFloat32 } from "../../tensor/index.ts";
import { layerModels } from "../lowering/layer-models.cases.ts";
import { programOf, randomFeeds, runtime, weights } from "../small-models.cases.ts";
import { isSuitable } from "./error-feedback.ts";
import { inputColumns, MOST_PLACES, PLACES_INPUT, placesTensor, productSizes } from "./input-columns.ts";
import { weightRows } from "./weight-rows.ts";

const MIDDLE = () => 0.5;

/** The layers of a model with what they compute, and the products of their weights with the columns. */
async function productsOf(build: () => ReturnType<typeof programOf>) {
  const { program } = await prepareProgram(build(), { runtime });
  const layers = findLayers(program).filter((layer) => layer.reason === undefined && isSuitable(layer));
  const emitter = new Emitter();
  const places = new Value(PLACES_INPUT, "float32", [MOST_PLACES]);
  const outputs = layers.flatMap((layer, i) => {
    const [columns] = inputColumns([layer.input], layer, emitter, places) as [Value];
    const { groups, outputs, inputs } = productSizes(layer);
    const rows = emitter.constant("rows", float32([groups, outputs, inputs], weightRows(layer)));
    const options = { output: `products.${i}`, dtype: "float32", shape: [null, null, null] } as const;
    return [emitter.emit("MatMul", [rows, columns], options), layer.output];
  });
  program.graph.nodes.push(...emitter.nodes);
  program.graph.outputs = outputs;
  program.graph.inputs.push(places);
  const session = await runtime.createSession(writeModel(program));
  const { [PLACES_INPUT]: _, ...feeds } = randomFeeds(program, 1, { lengths: { batch: 2 } });
  const results = await session.run({ ...feeds, [PLACES_INPUT]: placesTensor(MIDDLE) });
  await session.release();
  return layers.map((layer, i) => {
    return { layer, found: results[`products.${i}`]!, expected: results[layer.output.name]! };
  });
}

/** What a layer computes without its bias, as [channels, batch, places]. */
function outputsByChannel({ bias, spatialRank }: Layer, { shape, data }: Tensor): Float32Array {
  const channels = spatialRank > 0 ? shape[1]! : shape.at(-1)!;
  const inner = spatialRank > 0 ? shape.slice(2).reduce((a, b) => a * b, 1) : 1;
  const outer = data.length / channels / inner;
  const shift = bias ? toFloat32(bias.constant!.load()) : new Float32Array(channels);
  const moved = new Float32Array(data.length);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < inner; i++, at++) {
        moved[(c * outer + o) * inner + i] = (data as Float32Array)[at]! - shift[c % shift.length]!;
      }
    }
  }
  return moved;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** One model's last layer has more places than are sampled. */
const models = layerModels.filter(({ name, rows }) => rows === undefined && name !== "transposed conv");

describe("the columns of inputs", () => {
  it.each(models)("have a layer's outputs as their products with its weights: $name", async ({ build }) => {
    for (const { layer, found, expected } of await productsOf(build)) {
      expect(largestDifference(found.data as Float32Array, outputsByChannel(layer, expected))).toBeLessThan(1e-4);
    }
  });

  it.each([
    ["SAME_LOWER", { auto_pad: "SAME_LOWER", strides: [2, 2] }],
    ["SAME_UPPER", { auto_pad: "SAME_UPPER", strides: [1, 3] }],
    ["dilations", { pads: [2, 0, 2, 1], dilations: [2, 1] }],
    ["VALID", { auto_pad: "VALID" }],
    ["pads of each side", { pads: [0, 1, 2, 3] }],
    ["three axes", { pads: [1, 0, 1, 1, 1, 0], strides: [1, 2, 1] }],
  ] satisfies [string, Record<string, string | number[]>][])(
    "know padding: %s",
    async (_, attributes: Record<string, string | number[]>) => {
      const spatial = attributes.pads?.length === 6 ? [4, 5, 3] : [7, 6];
      const kernel = spatial.map((_, axis) => 3 - (axis % 2));
      const build = () =>
        programOf({ x: ["batch", 3, ...spatial] }, (e, { x }) => [
          e.emit("Conv", [x!, weights("w", [4, 3, ...kernel])], { output: "y", attributes }),
        ]);
      const [{ layer, found, expected }] = (await productsOf(build)) as [
        Awaited<ReturnType<typeof productsOf>>[number],
      ];
      expect(largestDifference(found.data as Float32Array, outputsByChannel(layer, expected))).toBeLessThan(1e-4);
    },
  );

  it("are those of one place from each of equal stretches where there are many", async () => {
    const build = () =>
      programOf({ x: ["batch", 2, 32, 32] }, (e, { x }) => [
        e.emit("Conv", [x!, weights("w", [3, 2, 1, 1])], { output: "y" }),
      ]);
    const [{ layer, found, expected }] = (await productsOf(build)) as [Awaited<ReturnType<typeof productsOf>>[number]];
    expect(found.shape).toEqual([1, 3, 2 * MOST_PLACES]);
    const all = outputsByChannel(layer, expected);
    // Of 1024 places in stretches of four, the middle one.
    const sampled = Float32Array.from(
      found.data as Float32Array,
      (_, i) => all[Math.floor(i / MOST_PLACES) * 1024 + (i % MOST_PLACES) * 4 + 2]!,
    );
    expect(largestDifference(found.data as Float32Array, sampled)).toBeLessThan(1e-5);
  });
});
