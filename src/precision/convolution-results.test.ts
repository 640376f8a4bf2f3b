import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import * as nn from "../nn/index.ts";
import * as optim from "../optim/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { type Int8Options, int8 } from "./int8.ts";

const SHAPE = [2, 64, 4, 4];

function build(options: Int8Options, channels = 64) {
  // Two layers: the gradient for the input of the first is not needed, that of the second is.
  const layers = [64, channels].map((count) => nn.conv({ channels: count, kernel: 3, padding: 1 }));
  const model = nn.sequential(layers);
  return trainStep({
    inputs: { x: { shape: SHAPE } },
    loss: ({ x }, scope) => scope.ops.reduceMean(scope.ops.square(model(x!, scope)), { keepDims: false }),
    optimizer: optim.sgd({ learningRate: 1e-9 }),
    precision: int8(options),
  });
}

const rangesOf = (step: ReturnType<typeof build>): string[] =>
  step.variables.map(({ path }) => path).filter((path) => /resultRange$|inputGradientRange$/.test(path));

it("int8 keeps ranges of the results of wide convolutions, forward and backward", () => {
  expect(rangesOf(build({})).length).toBe(3);
  expect(rangesOf(build({ results: "float" }))).toEqual([]);
  expect(rangesOf(build({ grid: "range" }))).toEqual([]);
  expect(rangesOf(build({ activations: { bits: 4 } })).length).toBe(1);
  expect(rangesOf(build({ gradients: { bits: 4 } })).length).toBe(2);
  // The gradient for 64 channels from 32 is narrow.
  expect(rangesOf(build({}, 32)).length).toBe(1);
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "ranges of results", () => {
  it("follow numbers that grow a thousandfold, and count the steps it took", { timeout: 20_000 }, async () => {
    const training = await compile(build({ gradients: { rounding: "nearest" } }), {
      runtime: await nodeRuntime(),
      seed: 1,
    });
    const random = seededRandom(2);
    const normal = (scale: number) =>
      float32(
        SHAPE,
        Float32Array.from({ length: 2 * 64 * 16 }, () => scale * random.normal()),
      );
    const read = async (end: string) => {
      const variables = Object.entries(await training.variables());
      return variables.filter(([path]) => path.endsWith(end)).map(([, tensor]) => toNumbers(tensor)[0] as number);
    };
    for (let i = 0; i < 2; i++) await training.run({ x: normal(1e-3) });
    const small = Math.max(...(await read("resultRange")));
    for (let i = 0; i < 10; i++) await training.run({ x: normal(1) });
    const large = Math.max(...(await read("resultRange")));
    expect(large / small).toBeGreaterThan(100);
    expect(large / small).toBeLessThan(3000);
    const jumps = await read("resultRangeJumps");
    for (const count of jumps) expect(count).toBeGreaterThanOrEqual(1);
    await training.release();
  });
});
