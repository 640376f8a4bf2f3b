import fc from "fast-check";
import { expect, it } from "vitest";
import type { Emitter, Program, Value } from "../program/index.ts";
import { batchesOf, quantizeAs, run } from "./lowering/lower-model.cases.ts";
import { numbers, programOf, sqnrDb, weights } from "./small-models.cases.ts";

type Step = (emitter: Emitter, x: Value, other: Value) => Value;

const PADDED = { pads: [1, 1, 1, 1] };
const bound = (value: number): Value => numbers("bound", [], [value]);
const conv = (shape: readonly number[], group = 1, scale = 0.2): Step => (e, x) =>
  e.emit("Conv", [x, weights("w", shape, scale), weights("b", [4], 0.1)], { attributes: { pads: shape[2] === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0], group } }); // biome-ignore format: one node

/** Steps that keep the shape [batch, 4, 6, 6]. */
const STEPS: Readonly<Record<string, Step>> = {
  conv: conv([4, 4, 3, 3]),
  pointwise: conv([4, 4, 1, 1], 1, 0.5),
  grouped: conv([4, 2, 3, 3], 2, 0.3),
  depthwise: conv([4, 1, 3, 3], 4, 0.4),
  transposed: (e, x) => e.emit("ConvTranspose", [x, weights("t", [4, 4, 3, 3], 0.2)], { attributes: PADDED }),
  batchNorm: (e, x) => {
    const parameters = [[1, 0.7, 1.2, 0.9], [0.1, 0.3, -0.2, 0.5], [0, 0.2, 0.1, 0], [1, 1.5, 0.8, 1.1]];
    return e.emit("BatchNormalization", [x, ...parameters.map((values) => numbers("n", [4], values))]);
  },
  relu: (e, x) => e.emit("Relu", [x]),
  clip: (e, x) => e.emit("Clip", [x, bound(-1), bound(2)]),
  sigmoid: (e, x) => e.emit("Sigmoid", [x]),
  swish: (e, x) => e.emit("Mul", [x, e.emit("HardSigmoid", [x])]),
  residual: (e, x, other) => e.emit("Add", [x, other]),
  joined: (e, x, other) => conv([4, 8, 1, 1], 1, 0.3)(e, e.emit("Concat", [x, other], { attributes: { axis: 1 } }), x),
  maxPool: (e, x) => e.emit("MaxPool", [x], { attributes: { kernel_shape: [3, 3], ...PADDED } }),
  averagePool: (e, x) => e.emit("AveragePool", [x], { attributes: { kernel_shape: [3, 3], ...PADDED } }),
  transpose: (e, x) => e.emit("Transpose", [x], { attributes: { perm: [0, 1, 3, 2] } }),
}; // biome-ignore format: a table

const networks = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 10 }),
  second: fc.option(fc.nat()),
}); // biome-ignore format: kept short

/** Each step continues from the last value, or from any earlier one; there may be a second output anywhere. */
function network({ steps, second }: typeof networks extends fc.Arbitrary<infer T> ? T : never): Program {
  return programOf({ x: ["batch", 4, 6, 6] }, (emitter, { x }) => {
    const values = [conv([4, 4, 3, 3])(emitter, x!, x!)];
    for (const [step, index, branches] of steps) {
      const any = values[index % values.length]!;
      values.push(STEPS[step]!(emitter, branches ? any : values.at(-1)!, any));
    }
    const extra = second === null ? undefined : values[second % values.length];
    return extra && extra !== values.at(-1) ? [values.at(-1)!, extra] : [values.at(-1)!];
  });
}

it("quantizes random networks for every target, keeping what they compute", async () => {
  await fc.assert(
    fc.asyncProperty(networks, async (description) => {
      const program = network(description);
      const batches = batchesOf(program);
      const expected = await run(program, batches[0]!, { optimization: "disabled" });
      for (const target of ["cpu", "portable", "simulate"] as const) {
        const { program: quantized } = await quantizeAs(program, { target, weights: 8, activations: 8 }, batches, {
          range: "min-max",
        });
        const actual = await run(quantized, batches[0]!, { keepQuantization: target === "simulate" });
        // A layer costs up to 40 dB, ten in a row 30; the rest is for sums that cancel. What is wired wrongly has none at all.
        expect(sqnrDb(expected, actual)).toBeGreaterThan(15);
      }
    }),
    { seed: 1, numRuns: 30 },
  );
});

it("would notice a step that got lost", async () => {
  const steps = (names: readonly string[]): Program =>
    network({ steps: names.map((name) => [name, 0, false]), second: null });
  const whole = steps(["relu", "depthwise", "residual"]);
  const feeds = batchesOf(whole)[0]!;
  expect(sqnrDb(await run(whole, feeds), await run(steps(["depthwise", "residual"]), feeds))).toBeLessThan(15);
});
