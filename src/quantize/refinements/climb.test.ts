import { describe, expect, it } from "vitest";
import { OptionError } from "../../errors.ts";
import type { Layer } from "../../prepare/index.ts";
import type { Program } from "../../program/index.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import type { QuantizeOptions } from "../options.ts";
import { quantize } from "../quantize.ts";
import { dataOf, programOf, randomFeeds, runtime, weights } from "../small-models.cases.ts";
import type { Draft, RefinedPart, Refinement } from "./refinement.ts";
import type { WorkStore } from "./work-store.ts";

function network(): Program {
  const padded = { attributes: { pads: [1, 1, 1, 1] } };
  return programOf({ x: ["batch", 3, 8, 8] }, (e, { x }) => {
    const first = e.emit("Relu", [e.emit("Conv", [x!, weights("w1", [8, 3, 3, 3], 0.3)], padded)]);
    const second = e.emit("Relu", [e.emit("Conv", [first, weights("w2", [8, 8, 3, 3], 0.2)], padded)]);
    return [e.emit("Conv", [second, weights("w3", [4, 8, 1, 1], 0.3)], { output: "y" })];
  });
}

const samples = (count: number) =>
  dataOf(Array.from({ length: count }, (_, seed) => randomFeeds(network(), seed + 1, { lengths: { batch: 1 } })));

const options = { runtime, weights: 4, policy: "uniform", calibration: samples(24) } satisfies QuantizeOptions;

/** What a refinement of these tests was given. */
interface Seen {
  readonly drafts: Draft[];
  readonly skips: number[];
}

/** A refinement that changes the codes of one layer after another, and may be interrupted after some. */
function changing(
  name: string,
  change: (code: number, layer: Layer) => number,
  { seen = { drafts: [], skips: [] }, failAfter = Number.POSITIVE_INFINITY }: { seen?: Seen; failAfter?: number } = {},
): Refinement {
  return {
    name,
    summary: "for tests",
    async *refine(draft, { skip }): AsyncGenerator<RefinedPart> {
      seen.drafts.push(draft);
      seen.skips.push(skip);
      const layers = [...draft.weights.keys()];
      let current = draft;
      for (const [index, layer] of layers.entries()) {
        if (index < skip) continue;
        if (index >= failAfter) throw new Error("interrupted");
        current = { ...current, weights: new Map(current.weights).set(layer, changed(current, layer, change)) };
        yield { draft: current, done: index + 1, total: layers.length, unit: "layer" };
      }
    },
  };
}

function changed(draft: Draft, layer: Layer, change: (code: number, layer: Layer) => number): QuantizedLayer {
  const quantized = draft.weights.get(layer)!;
  if (quantized.weights.granularity !== "channel") throw new Error("convolutions have scales per channel");
  const codes = quantized.weights.codes.map((code) => change(code, layer));
  return { ...quantized, weights: { ...quantized.weights, codes } };
}

const worse = (code: number) => Math.trunc(code / 2);
const same = (code: number) => code;

function memoryStore(): WorkStore & { bytes: Uint8Array | undefined } {
  return {
    description: "memory",
    bytes: undefined,
    async load() {
      return this.bytes;
    },
    async save(bytes) {
      this.bytes = bytes;
    },
  };
}

describe("the ladder", () => {
  it("starts from min-max and closed formulas, and keeps only what is no worse", async () => {
    const plain = await quantize(network(), options);
    const { report, model, rungs } = await quantize(network(), {
      ...options,
      refinements: [changing("worse", worse), changing("same", same)],
    });
    expect(report.ladder.map(({ name, kept }) => [name, kept])).toEqual([
      ["min-max", true],
      ["closed-form", true],
      ["worse", false],
      ["same", true],
    ]);
    const [naive, closed, bad, good] = report.ladder.map(({ outputSqnrDb }) => outputSqnrDb!);
    expect(closed).toBeGreaterThan(naive!);
    expect(bad).toBeLessThan(closed! - 3);
    expect(good).toBeCloseTo(closed!, 10);
    expect(model.bytes).toEqual(plain.model.bytes);
    expect(rungs[1]!.model().bytes).toEqual(plain.model.bytes);
    expect(rungs[2]!.model().bytes).not.toEqual(plain.model.bytes);
  });

  it("gives a refinement the best draft so far, and samples that are not those it is judged by", async () => {
    const seen: Seen = { drafts: [], skips: [] };
    let fitted = 0;
    const counting: Refinement = {
      name: "counting",
      summary: "for tests",
      async *refine(draft, { data }): AsyncGenerator<RefinedPart> {
        for await (const _ of data.batches()) fitted++;
        yield { draft, done: 1, total: 1, unit: "model" };
      },
    };
    await quantize(network(), {
      ...options,
      refinements: [changing("worse", worse), counting, changing("same", same, { seen })],
    });
    expect(fitted).toBe(21);
    const [codes] = [...seen.drafts[0]!.weights.values()].map(({ weights }) => weights);
    expect(codes?.granularity === "channel" && codes.codes.some((code) => Math.abs(code) > 4)).toBe(true);
  });

  it("says so where there are too few samples to keep some back", async () => {
    const { report } = await quantize(network(), {
      ...options,
      calibration: samples(3),
      refinements: [changing("same", same)],
    });
    expect(report.ladder.at(-1)!.notes.join()).toMatch(/too few samples/);
  });

  it("does not begin what there is no time for, and leaves a model as good as without", async () => {
    const { report, model } = await quantize(network(), {
      ...options,
      budgetSeconds: 1e-9,
      refinements: [changing("late", same)],
    });
    expect(report.ladder.at(-1)).toMatchObject({ kept: false, notes: ["not done: no time left"] });
    expect(model.bytes).toEqual((await quantize(network(), options)).model.bytes);
  });

  it("shares the time among refinements by their effort, and says where nothing was done", async () => {
    const deadlines: number[] = [];
    const idle = (name: string, effort: number): Refinement => ({
      name,
      summary: "for tests",
      effort,
      // biome-ignore lint/correctness/useYield: it finds nothing to do
      async *refine(_draft, { deadlineMs }): AsyncGenerator<RefinedPart> {
        deadlines.push(deadlineMs - performance.now());
      },
    });
    const { report } = await quantize(network(), {
      ...options,
      budgetSeconds: 1000,
      refinements: [idle("first", 1), idle("second", 3)],
    });
    expect(deadlines[0]! / deadlines[1]!).toBeCloseTo(1 / 4, 1);
    expect(report.ladder.at(-1)).toMatchObject({ kept: false });
    expect(report.ladder.at(-1)!.notes.join()).toMatch(/nothing was done/);
  });

  it("does not fit to made-up samples", async () => {
    const { calibration: _, ...without } = options;
    const { report } = await quantize(network(), { ...without, refinements: [changing("same", same)] });
    expect(report.ladder.at(-1)).toMatchObject({ kept: false, notes: ["not done: it needs samples"] });
  });

  it("works for simulations too, with the integers that kernels would have", async () => {
    const { report, rungs } = await quantize(network(), {
      ...options,
      activations: 4,
      simulate: true,
      refinements: [changing("same", same)],
    });
    expect(report.settings).toMatchObject({ granularity: "tensor", weightAllocation: "none", refinements: "same" });
    expect(rungs.map(({ kept }) => kept)).toEqual([true, true, true]);
  });

  it("refuses what its integers cannot have", async () => {
    const refinements = [changing("same", same)];
    const asked = quantize(network(), { ...options, simulate: true, granularity: "channel", refinements });
    await expect(asked).rejects.toThrow(/refinements need one range per tensor .* got granularity "channel"/);
    await expect(quantize(network(), { ...options, budgetSeconds: 0 })).rejects.toThrow(OptionError);
  });
});

describe("interrupted work", () => {
  it("goes on after the last part that was done, and gives what it would have given", async () => {
    const flip = (code: number) => (code === 1 ? 0 : code);
    const whole = await quantize(network(), { ...options, refinements: [changing("a", same), changing("b", flip)] });
    const work = memoryStore();
    const interrupted = quantize(network(), {
      ...options,
      work,
      refinements: [changing("a", same), changing("b", flip, { failAfter: 2 })],
    });
    await expect(interrupted).rejects.toThrow("interrupted");
    const seen: Seen = { drafts: [], skips: [] };
    const again = await quantize(network(), {
      ...options,
      work,
      refinements: [changing("a", same, { failAfter: 0 }), changing("b", flip, { seen })],
    });
    expect(seen.skips).toEqual([2]);
    expect(again.rungs.at(-1)!.model().bytes).toEqual(whole.rungs.at(-1)!.model().bytes);
    expect(again.report.ladder.map(({ name }) => name)).toEqual(["min-max", "closed-form", "a", "b"]);
  });

  it("is not taken up by another quantization", async () => {
    const work = memoryStore();
    await quantize(network(), { ...options, work, refinements: [changing("a", same)] });
    const other = quantize(network(), { ...options, weights: 3, work, refinements: [changing("a", same)] });
    await expect(other).rejects.toThrow(/the unfinished work in memory must be of the same model/);
  });
});

describe("rewrites", () => {
  it("must leave the outputs as they are", async () => {
    const rewriting = (factor: number): Refinement => ({
      name: "louder",
      summary: "for tests",
      async rewrite(_program, layers) {
        const weight = layers[0]!.weight;
        layers[0]!.node.inputs[1] = weights("w1", weight.constant!.shape, 0.3 * factor);
        return ["done"];
      },
    });
    const { report } = await quantize(network(), { ...options, refinements: [rewriting(1)] });
    expect(report.remarks).toContain("louder: done");
    await expect(quantize(network(), { ...options, refinements: [rewriting(1.1)] })).rejects.toThrow(
      /louder must leave the model's outputs as they are, but changed y/,
    );
  });
});
