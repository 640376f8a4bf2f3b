import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sharedData } from "../../test/support/shared-data.ts";
import { readModel } from "../onnx/index.ts";
import { findLayers, prepareProgram } from "../prepare/index.ts";
import type { Program } from "../program/index.ts";
import { programOf, runtime, weights } from "../quantize/small-models.cases.ts";
import { type Block, findBlocks } from "./blocks.ts";

const blocksOf = (program: Program): Block[] =>
  findBlocks(
    program,
    findLayers(program).filter(({ reason }) => reason === undefined),
  );
const layerCounts = (program: Program): number[] => blocksOf(program).map(({ layers }) => layers.length);

async function shared(name: string): Promise<Program | undefined> {
  const path = sharedData(`models/${name}`);
  if (!path) return undefined;
  return (await prepareProgram(readModel(readFileSync(path)), { runtime })).program;
}

const picture = { x: ["batch", 4, 6, 6] };
const pads = { attributes: { pads: [1, 1, 1, 1] } };

describe("findBlocks", () => {
  it("keeps what is beside a skip connection together, and stems and heads apart", () => {
    const program = programOf(picture, (e, { x }) => {
      const stem = e.emit("Relu", [e.emit("Conv", [x!, weights("stem", [4, 4, 3, 3])], pads)], { output: "stem" });
      const first = e.emit("Relu", [e.emit("Conv", [stem, weights("a", [4, 4, 3, 3])], pads)]);
      const second = e.emit("Conv", [first, weights("b", [4, 4, 3, 3])], pads);
      const sum = e.emit("Relu", [e.emit("Add", [second, stem])], { output: "sum" });
      const flat = e.emit("Flatten", [e.emit("GlobalAveragePool", [sum])], { output: "flat" });
      return [e.emit("Gemm", [flat, weights("head", [4, 3])], { output: "scores" })];
    });
    const blocks = blocksOf(program);
    expect(blocks.map(({ layers }) => layers.map(({ weight }) => weight.name))).toEqual([
      ["stem"],
      ["a", "b"],
      ["head"],
    ]);
    expect(blocks.map(({ input }) => input?.name)).toEqual([undefined, "stem", "flat"]);
    expect(blocks.map(({ output }) => output.name)).toEqual(["stem", "flat", "scores"]);
  });

  it("cuts a chain into even pieces of at most four layers", () => {
    const chain = (length: number): Program =>
      programOf(picture, (e, { x }) => {
        let value = x!;
        for (let i = 0; i < length; i++) {
          value = e.emit("Relu", [e.emit("Conv", [value, weights(`w${i}`, [4, 4, 3, 3])], pads)]);
        }
        return [value];
      });
    expect([1, 4, 5, 6, 9].map((length) => layerCounts(chain(length)))).toEqual([[1], [4], [3, 2], [3, 3], [3, 3, 3]]);
  });

  it("puts branches beside each other together with the layer that feeds them", () => {
    const program = programOf(picture, (e, { x }) => {
      const before = e.emit("Relu", [e.emit("Conv", [x!, weights("before", [4, 4, 3, 3])], pads)]);
      const squeeze = e.emit("Relu", [e.emit("Conv", [before, weights("squeeze", [4, 4, 1, 1])])]);
      const left = e.emit("Conv", [squeeze, weights("left", [4, 4, 1, 1])]);
      const right = e.emit("Conv", [squeeze, weights("right", [4, 4, 3, 3])], pads);
      return [e.emit("Concat", [left, right], { attributes: { axis: 1 } })];
    });
    expect(blocksOf(program).map(({ layers }) => layers.map(({ weight }) => weight.name))).toEqual([
      ["before"],
      ["squeeze", "left", "right"],
    ]);
  });

  it("lets every block compute anew what depends on no layer", () => {
    const program = programOf({ x: ["batch", 4], mask: ["batch", 4] }, (e, { x, mask }) => {
      const gate = e.emit("Sigmoid", [mask!], { output: "gate" });
      const first = e.emit("Mul", [e.emit("MatMul", [x!, weights("a", [4, 4])]), gate], { output: "first" });
      return [e.emit("Mul", [e.emit("MatMul", [first, weights("b", [4, 4])]), gate])];
    });
    const nodes = blocksOf(program).flatMap((block) => block.nodes);
    expect(layerCounts(program)).toEqual([2]);
    expect(nodes.map(({ operator }) => operator)).toEqual(["MatMul", "Mul", "MatMul", "Mul"]);
  });

  it("says which operators have no gradient", () => {
    const program = programOf({ x: ["batch", 4] }, (e, { x }) => {
      const first = e.emit("MatMul", [x!, weights("a", [4, 4])]);
      return [
        e.emit("MatMul", [
          e.emit("NonExistent", [first], { dtype: "float32", shape: ["batch", 4] }),
          weights("b", [4, 4]),
        ]),
      ];
    });
    expect(blocksOf(program).map(({ reason }) => reason)).toEqual(["no gradient for NonExistent"]);
  });

  it.for([
    ["resnet20-cifar10.onnx", [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]],
    ["mobilenetv2.onnx", [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2]],
    ["squeezenet1.1.onnx", [1, 3, 3, 3, 3, 3, 3, 3, 3, 1]],
    ["stories260k.onnx", [1, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 1]],
  ] as const)("cuts %s into its blocks", async ([name, expected]) => {
    const program = await shared(name);
    if (!program) return;
    expect(layerCounts(program)).toEqual(expected);
    // Each starts where the one before ends, and nothing is in two of them.
    const blocks = blocksOf(program);
    expect(blocks.slice(1).map(({ input }) => input)).toEqual(blocks.slice(0, -1).map(({ output }) => output));
    const nodes = blocks.flatMap((block) => block.nodes);
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(blocks.every(({ reason }) => reason === undefined)).toBe(true);
  });
});
