import fc from "fast-check";
import { expect, it } from "vitest";
import { constantValue, type Emitter, type Program, type Value } from "../program/index.ts";
import { int64 } from "../tensor/index.ts";
import { numbers, programOf, randomFeeds, runtime, weights } from "./check-pass.cases.ts";
import { prepareProgram } from "./prepare-program.ts";

const SHAPE = [1, 4, 5, 5];
const PADDING = { pads: [1, 1, 1, 1] };

/** Steps that keep the shape: what exporters put between inputs and outputs, foldable and not. */
const STEPS: Readonly<Record<string, (emitter: Emitter, x: Value, other: Value) => Value>> = {
  conv: (e, x) => e.emit("Conv", [x, weights("conv.weight", [4, 4, 3, 3], 0.2)], { attributes: PADDING }),
  biased: (e, x) => e.emit("Conv", [x, weights("w", [4, 4, 1, 1], 0.4), weights("b", [4])]),
  grouped: (e, x) => e.emit("Conv", [x, weights("g", [4, 2, 3, 3], 0.2)], { attributes: { ...PADDING, group: 2 } }),
  depthwise: (e, x) => e.emit("Conv", [x, weights("d", [4, 1, 3, 3], 0.3)], { attributes: { ...PADDING, group: 4 } }),
  transposed: (e, x) =>
    e.emit("ConvTranspose", [x, weights("t", [4, 2, 3, 3], 0.2)], { attributes: { ...PADDING, group: 2 } }),
  padded: (e, x) => {
    const pads = constantValue("pads", int64([0, 0, 1, 0, 0, 0, 1, 2]));
    return e.emit("Conv", [e.emit("Pad", [x, pads]), weights("p", [4, 4, 3, 3], 0.2)]);
  },
  batchNorm: (e, x) => {
    const parameters = ["gamma", "beta", "mean", "variance"].map((name, i) => numbers(name, [4], [1, 0.5 + i, 2, 0.8]));
    return e.emit("BatchNormalization", [x, ...parameters]);
  },
  multiplied: (e, x) => e.emit("Mul", [numbers("m", [4, 1, 1], [1, -0.5, 2, 0.7]), x]),
  subtracted: (e, x) => e.emit("Sub", [numbers("s", [1, 4, 1, 1], [1, 2, 3, 4]), x]),
  perColumn: (e, x) => e.emit("Add", [x, numbers("column", [5], [1, 2, 3, 4, 5])]),
  identity: (e, x) => e.emit("Identity", [x]),
  dropout: (e, x) => e.emit("Dropout", [x]),
  relu: (e, x) => e.emit("Relu", [x]),
  residual: (e, x, other) => e.emit("Add", [x, other]),
};

const networks = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 12 }),
  second: fc.option(fc.nat()),
}); // biome-ignore format: kept short

/** Each step continues from the last value, or from any earlier one; there may be a second output anywhere. */
function network({ steps, second }: typeof networks extends fc.Arbitrary<infer T> ? T : never): Program {
  return programOf({ x: SHAPE }, (emitter, { x }) => {
    const values = [x!];
    for (const [step, index, branches] of steps) {
      const any = values[index % values.length]!;
      values.push(STEPS[step]!(emitter, branches ? any : values.at(-1)!, any));
    }
    const extra = second === null ? undefined : values[1 + (second % (values.length - 1))];
    return extra && extra !== values.at(-1) ? [values.at(-1)!, extra] : [values.at(-1)!];
  });
}

it("prepares random networks without changing their outputs, and leaves nothing to do", async () => {
  await fc.assert(
    fc.asyncProperty(networks, async (description) => {
      const program = network(description);
      // Twelve layers in float32: each rounds to 6e-8, and cancellation in sums can cost two more digits.
      const prepared = await prepareProgram(program, { runtime, verify: randomFeeds(program), tolerance: 1e-4 });
      expect((await prepareProgram(prepared.program, { runtime })).changes.size).toBe(0);
    }),
    { seed: 1, numRuns: 50 },
  );
});
