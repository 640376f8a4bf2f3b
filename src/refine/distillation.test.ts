import { describe, expect, it } from "vitest";
import type { Program } from "../program/index.ts";
import type {
  CalibrationData,
  ChannelWeights,
  Draft,
  Feeds,
  RefinedPart,
  RefinementContext,
} from "../quantize/index.ts";
import { dataOf, normals, programOf, randomFeeds, weights } from "../quantize/small-models.cases.ts";
import { float32, toFloat32 } from "../tensor/index.ts";
import { type DistillationOptions, distillation } from "./distillation.ts";
import { contextOf, draftOf, outputsOf } from "./refine.cases.ts";

function classifier(): Program {
  return programOf({ x: ["batch", 8] }, (e, { x }) => {
    const hidden = e.emit("Relu", [e.emit("Gemm", [x!, weights("a", [8, 12], 0.5), weights("b", [12])])]);
    return [e.emit("Gemm", [hidden, weights("c", [12, 5], 0.5), weights("d", [5])], { output: "scores" })];
  });
}

/** Inputs that vary together. */
function inputsOf(seed: number, batch: number): Feeds {
  const { x } = randomFeeds(classifier(), seed, { lengths: { batch } });
  const common = normals(seed + 1000, batch, 2);
  return {
    x: float32(
      x!.shape,
      toFloat32(x!).map((one, i) => one / 2 + common[Math.floor(i / 8)]!),
    ),
  };
}

const data = dataOf([inputsOf(1, 64), inputsOf(2, 64)]);
const judge = inputsOf(3, 128);

async function parts(
  draft: Draft,
  given: CalibrationData,
  options: DistillationOptions,
  context: Partial<RefinementContext> = {},
): Promise<RefinedPart[]> {
  const all: RefinedPart[] = [];
  for await (const part of distillation(options).refine!(draft, contextOf(given, context))) all.push(part);
  return all;
}

/** The divergence of the float network's classes from the draft's, the mean over the judge's samples. */
async function divergenceOf(draft: Draft): Promise<number> {
  const float = { ...draft, weights: new Map(), grids: new Map() };
  const [teacher, student] = [await logarithmsOf(float), await logarithmsOf(draft)];
  return teacher.reduce((sum, logarithm, i) => sum + Math.exp(logarithm) * (logarithm - student[i]!), 0) / 128;
}

async function logarithmsOf(draft: Draft): Promise<number[]> {
  const scores = await outputsOf(draft, judge);
  return scores.map((score, i) => {
    const row = scores.slice(i - (i % 5), i - (i % 5) + 5);
    return score - Math.log(row.reduce((sum, one) => sum + Math.exp(one), 0));
  });
}

const codesOf = (draft: Draft): number[][] =>
  [...draft.weights.values()].map(({ weights: one }) => [...(one as ChannelWeights).codes]);

const options = { weights: 3, activations: 4, simulate: true, granularity: "tensor" } as const;

describe("distillation", () => {
  it("brings all layers together closer to the float network, on samples it has not seen", async () => {
    const draft = await draftOf(classifier(), data, options);
    const all = await parts(draft, data, { iterations: 120, rates: { weight: 0.02, bias: 2e-3, scale: 2e-3 } });
    const after = all.at(-1)!.draft;
    expect(all.at(-1)!.done).toBe(all.at(-1)!.total);
    expect(await divergenceOf(after)).toBeLessThan(0.7 * (await divergenceOf(draft)));
    expect(codesOf(after)).not.toEqual(codesOf(draft));
    for (const codes of codesOf(after)) {
      expect(Math.min(...codes)).toBeGreaterThanOrEqual(-4);
      expect(Math.max(...codes)).toBeLessThanOrEqual(3);
    }
    expect([...after.grids.values()].map(({ scale }) => scale)).not.toEqual(
      [...draft.grids.values()].map(({ scale }) => scale),
    );
  });

  it("keeps the start where nothing moves, where steps make it worse, and where there is no time", async () => {
    const draft = await draftOf(classifier(), data, options);
    const still = await parts(draft, data, { iterations: 8, rates: { weight: 0, bias: 0, scale: 0 } });
    expect(still.at(-1)!.draft).toBe(draft);
    const wild = await parts(draft, data, { iterations: 8, rates: { weight: 50, bias: 50, scale: 1 } });
    expect(wild.at(-1)!.draft).toBe(draft);
    const late = await parts(draft, data, {}, { deadlineMs: performance.now() });
    expect(late.at(-1)!).toMatchObject({ draft, notes: ["left as it was, no time left"] });
  });

  it("learns other outputs than classes by their squared error", async () => {
    const program = programOf({ x: ["batch", 2, 4, 4] }, (e, { x }) => [
      e.emit("Conv", [x!, weights("a", [3, 2, 3, 3], 0.3)], { output: "y" }),
    ]);
    const pictures = dataOf([randomFeeds(program, 1, { lengths: { batch: 16 } })]);
    const draft = await draftOf(program, pictures, { ...options, activations: 8 });
    const [note] = (await parts(draft, pictures, { iterations: 8 })).at(-1)!.notes!;
    expect(note).toContain("squared error");
  });

  it("says which operators keep it from learning", async () => {
    const program = programOf({ x: ["batch", 8] }, (e, { x }) => {
      const first = e.emit("Gemm", [x!, weights("a", [8, 8])]);
      const chosen = e.emit("Multinomial", [first], { attributes: { sample_size: 8, dtype: 6, seed: 1.5 } });
      return [e.emit("Gemm", [e.emit("Cast", [chosen], { attributes: { to: 1 } }), weights("b", [8, 4])])];
    });
    const draft = await draftOf(program, data, { activations: 16 });
    const [part] = await parts(draft, data, {});
    expect(part).toMatchObject({ draft, done: part!.total, notes: ["left as it was, no gradient for Multinomial"] });
  });
});
