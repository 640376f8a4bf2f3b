import { describe, expect, it } from "vitest";
import { writeModel } from "../onnx/index.ts";
import type { Program } from "../program/index.ts";
import { float32 } from "../tensor/index.ts";
import { deployableGrid } from "./grid.ts";
import type { Feeds } from "./options.ts";
import { quantize } from "./quantize.ts";
import { dataOf, normals, numbers, programOf, runtime, weights } from "./small-models.cases.ts";
import { bestCandidate } from "./try-ranges.ts";

/**
 * A convolution without an activation function whose results have outliers, and what reads them: one that saturates, so that
 * the outliers do not matter, or one that adds them up.
 */
function modelWith(reader: "saturating" | "adding"): Program {
  return programOf({ x: ["batch", 4, 16, 16] }, (e, { x }) => {
    const c = e.emit("Conv", [x!, weights("w", [8, 4, 1, 1], 0.5)], { name: "outliers", output: "c" });
    const y = e.emit("Conv", [c, weights("v", [8, 8, 1, 1], 0.3)], { name: "reader", output: "y" });
    if (reader === "adding") return [e.emit("GlobalAveragePool", [y], { output: "z" })];
    return [e.emit("Clip", [y, numbers("zero", [], [0]), numbers("one", [], [1])], { output: "z" })];
  });
}

/** Normal numbers, of which one in a hundred places is forty times as large. */
function samples(): Feeds[] {
  return [1, 2, 3, 4].map((seed) => {
    const values = normals(seed, 4 * 256);
    for (let c = 0; c < 4; c++) for (let i = seed; i < 256; i += 100) values[c * 256 + i]! *= 40;
    return { x: float32([1, 4, 16, 16], values) };
  });
}

describe("bestCandidate", () => {
  const options = { runtime, batches: 4, signal: undefined };
  const candidates = (program: Program) => {
    const c = program.graph.nodes[0]!.output();
    return [deployableGrid({ low: -150, high: 150 }, 8), deployableGrid({ low: -8, high: 8 }, 8)].map(
      (grid) => new Map([[c, grid]]),
    );
  };

  it("takes what leaves the outputs closest, whatever the error of the tensor itself", async () => {
    const saturating = modelWith("saturating");
    expect(await bestCandidate(saturating, candidates(saturating), dataOf(samples()), options)).toBe(1);
    const adding = modelWith("adding");
    expect(await bestCandidate(adding, candidates(adding), dataOf(samples()), options)).toBe(0);
  });

  it("takes the first where nothing tells them apart, and leaves the program as it was", async () => {
    const program = modelWith("saturating");
    const before = writeModel(program).bytes;
    const [, fine] = candidates(program);
    expect(await bestCandidate(program, [fine!, fine!, new Map(fine)], dataOf(samples()), options)).toBe(0);
    expect(writeModel(program).bytes).toEqual(before);
    const decided = programOf({ x: ["batch", 4, 16, 16] }, (e, { x }) => {
      const c = e.emit("Conv", [x!, weights("w", [8, 4, 1, 1], 0.5)], { output: "c" });
      return [e.emit("ArgMax", [c], { attributes: { axis: 1 }, output: "class", dtype: "int64" })];
    });
    const grids = candidates(decided);
    expect(await bestCandidate(decided, grids.toReversed(), dataOf(samples()), options)).toBe(0);
  });
});

describe("quantize without a range method", () => {
  const methodOf = async (model: Program, more: object = {}): Promise<string | undefined> => {
    const { report } = await quantize(model, { runtime, calibration: dataOf(samples()), policy: "uniform", ...more });
    return report.layers.find(({ name }) => name === "outliers")!.activation!.method;
  };

  it("clips outliers only where the outputs gain by it", async () => {
    expect(await methodOf(modelWith("saturating"))).toBe("aciq-laplace");
    expect(await methodOf(modelWith("adding"))).toBe("mse-wide");
  });

  it("does not try where a method is asked for, or where the data are made up", async () => {
    expect(await methodOf(modelWith("saturating"), { range: "mse-wide" })).toBe("mse-wide");
    expect(await methodOf(modelWith("saturating"), { calibration: undefined })).toBe("mse-wide");
    expect(await methodOf(modelWith("saturating"), { simulate: true, weights: 8, activations: 8 })).toBe("mse");
  });
});
