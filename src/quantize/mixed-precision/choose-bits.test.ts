import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChoiceLimits, chooseBits, type WidthOption } from "./choose-bits.ts";

type Layers = readonly (readonly WidthOption[])[];

const errorOf = (layers: Layers, choice: readonly number[]): number =>
  choice.reduce((sum, index, layer) => sum + layers[layer]![index]!.error, 0);

function isWithin(layers: Layers, choice: readonly number[], { sizeBytes, latencyMs }: ChoiceLimits): boolean {
  const options = choice.map((index, layer) => layers[layer]![index]!);
  const bytes = options.reduce((sum, option) => sum + option.sizeBytes, 0);
  const milliseconds = options.reduce((sum, option) => sum + option.latencyMs, 0);
  return bytes <= (sizeBytes ?? Infinity) && milliseconds <= (latencyMs ?? Infinity) + 1e-9;
}

/** Every choice there is. */
function* choices(layers: Layers): Generator<number[]> {
  if (layers.length === 0) {
    yield [];
    return;
  }
  for (let index = 0; index < layers[0]!.length; index++) {
    for (const rest of choices(layers.slice(1))) yield [index, ...rest];
  }
}

const option = fc.record({
  bits: fc.constantFrom(2, 3, 4, 5, 6, 8, 16),
  error: fc.integer({ min: 0, max: 10_000 }).map((error) => error / 1000),
  sizeBytes: fc.integer({ min: 1, max: 5000 }),
  latencyMs: fc.integer({ min: 0, max: 64 }).map((ticks) => ticks / 16),
});
const instance = fc.record({
  layers: fc.array(fc.array(option, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
  sizeShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  latencyShare: fc.option(fc.integer({ min: 0, max: 16 }), { nil: undefined }),
});

describe("chooseBits", () => {
  it("finds what trying every choice finds", async () => {
    await fc.assert(
      fc.asyncProperty(instance, async ({ layers, sizeShare, latencyShare }) => {
        const most = (of: (option: WidthOption) => number): number =>
          layers.reduce((sum, options) => sum + Math.max(...options.map(of)), 0);
        const limits = {
          sizeBytes: sizeShare === undefined ? undefined : Math.round(sizeShare * most((one) => one.sizeBytes)),
          latencyMs: latencyShare === undefined ? undefined : (latencyShare / 16) * most((one) => one.latencyMs),
        };
        const feasible = [...choices(layers)].filter((choice) => isWithin(layers, choice, limits));
        const found = await chooseBits(layers, limits);
        if (feasible.length === 0) {
          expect(found).toBeUndefined();
          return;
        }
        expect(isWithin(layers, found!, limits)).toBe(true);
        const least = Math.min(...feasible.map((choice) => errorOf(layers, choice)));
        expect(errorOf(layers, found!)).toBeCloseTo(least, 6);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("is at least as good as a Lagrangian's bound on an instance as large as a real model", async () => {
    const widths = [2, 3, 4, 5, 6, 8];
    const layers = Array.from({ length: 53 }, (_, layer) => {
      const weights = 1000 + ((layer * 7919) % 97) * 3000;
      const scale = 1 + ((layer * 104_729) % 89);
      return widths.map((bits) => ({ bits, error: scale * 4 ** -bits, sizeBytes: (weights * bits) / 8, latencyMs: 0 }));
    });
    const sizeBytes = layers.reduce((sum, options) => sum + options[2]!.sizeBytes, 0);
    const found = (await chooseBits(layers, { sizeBytes }))!;
    expect(isWithin(layers, found, { sizeBytes })).toBe(true);
    // No choice within the limit has less error than any multiplier's relaxation.
    const bounds = Array.from({ length: 400 }, (_, i) => {
      const price = 10 ** (-9 + i / 50);
      const relaxed = layers.map((options) => Math.min(...options.map((one) => one.error + price * one.sizeBytes)));
      return relaxed.reduce((sum, cost) => sum + cost, 0) - price * sizeBytes;
    });
    const bound = Math.max(...bounds);
    expect(errorOf(layers, found)).toBeGreaterThanOrEqual(bound - 1e-9);
    expect(errorOf(layers, found)).toBeLessThan(bound * 1.01);
    const uniform = layers.map(() => 2);
    expect(errorOf(layers, found)).toBeLessThan(0.9 * errorOf(layers, uniform));
  });

  it("gives every layer its best option where nothing is limited, and nothing where no choice fits", async () => {
    const options = [
      { bits: 4, error: 2, sizeBytes: 10, latencyMs: 1 },
      { bits: 8, error: 1, sizeBytes: 20, latencyMs: 1 },
    ];
    expect(await chooseBits([options, options], {})).toEqual([1, 1]);
    expect(await chooseBits([options, options], { sizeBytes: 30 })).toHaveLength(2);
    expect(await chooseBits([options, options], { sizeBytes: 19 })).toBeUndefined();
    expect(await chooseBits([options, []], {})).toBeUndefined();
  });
});
