import { describe, expect, it } from "vitest";
import { findLayers } from "../../prepare/index.ts";
import { cloneProgram, type Program } from "../../program/index.ts";
import { toFloat32 } from "../../tensor/index.ts";
import { resolveSettings } from "../settings.ts";
import { dataOf, normals, numbers, programOf, randomFeeds, runtime, sqnrDb, weights } from "../small-models.cases.ts";
import { outputsOf } from "./draft.cases.ts";
import { equalization } from "./equalization.ts";

const PADDED = { attributes: { pads: [1, 1, 1, 1] } };

/** Two convolutions with channels of very different sizes between them, and what lies between. */
function network(between: "Relu" | "Clip" | "Add"): Program {
  return programOf({ x: [2, 3, 6, 6] }, (e, { x }) => {
    const values = normals(5, 4 * 3 * 9).map((value, i) => value * 10 ** (Math.floor(i / 27) - 1));
    const bias = numbers("b", [4], [0.3, -0.2, 0.1, 2]);
    const first = e.emit("Conv", [x!, numbers("w1", [4, 3, 3, 3], [...values]), bias], PADDED);
    const bounded =
      between === "Clip"
        ? e.emit("Clip", [first, numbers("low", [], [0]), numbers("high", [], [6])])
        : e.emit("Relu", [first]);
    const pooled = e.emit("MaxPool", [bounded], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } });
    const second = e.emit("Conv", [pooled, weights("w2", [5, 4, 1, 1], 0.5)], { output: "second" });
    return [
      between === "Add"
        ? e.emit("Add", [second, e.emit("ReduceMean", [pooled], { attributes: { axes: [1] } })])
        : second,
    ];
  });
}

async function equalized(program: Program) {
  const { program: copy } = cloneProgram(program);
  const data = dataOf([randomFeeds(program)]);
  const settings = resolveSettings({ runtime });
  const notes = await equalization().rewrite!(copy, findLayers(copy), {
    ...{ runtime, data, hasData: true, settings, signal: undefined },
  });
  return { copy, notes };
}

const magnitudes = (program: Program, layer: number, channel: (index: number) => number) => {
  const values = toFloat32(findLayers(program)[layer]!.weight.constant!.load());
  const most = [0, 0, 0, 0];
  values.forEach((value, i) => {
    most[channel(i)] = Math.max(most[channel(i)]!, Math.abs(value));
  });
  return most;
};

describe("cross-layer equalization", () => {
  it("makes a channel's largest weights on both sides sqrt(r1 r2), and leaves the outputs as they are", async () => {
    const program = network("Relu");
    const { copy, notes } = await equalized(program);
    expect(notes).toEqual(["1 layers equalized with those that read them"]);
    const [written, read] = [(i: number) => Math.floor(i / 27), (i: number) => i % 4];
    const [r1, r2] = [magnitudes(program, 0, written), magnitudes(program, 1, read)];
    const after = [magnitudes(copy, 0, written), magnitudes(copy, 1, read)];
    for (let c = 0; c < 4; c++) {
      for (const side of after) expect(side[c]! / Math.sqrt(r1[c]! * r2[c]!)).toBeCloseTo(1, 4);
    }
    expect(Math.max(...r1) / Math.min(...r1)).toBeGreaterThan(10 * (Math.max(...after[0]!) / Math.min(...after[0]!)));
    const feeds = [randomFeeds(program)];
    const [[before], [now]] = await Promise.all([outputsOf(program, feeds), outputsOf(copy, feeds)]);
    expect(sqnrDb(before!, now!)).toBeGreaterThan(110);
  });

  it("leaves channels alone that something else reads, or that are clipped", async () => {
    for (const [between, said] of [
      ["Clip", /1 left as they are: a clip follows/],
      ["Add", /0 layers equalized/],
    ] as const) {
      const program = network(between);
      const { copy, notes } = await equalized(program);
      expect(notes.join()).toMatch(said);
      const first = (of: Program) => toFloat32(findLayers(of)[0]!.weight.constant!.load());
      expect(first(copy)).toEqual(first(program));
    }
  });
});
