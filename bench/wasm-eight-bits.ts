/**
 * How much faster is a training step in 8 bits than in float32 in WebAssembly, on the one thread that it has in Node?
 *
 *   npx tsx bench/wasm-eight-bits.ts                       # mlp-2048
 *   npx tsx bench/wasm-eight-bits.ts transformer 11        # a case of training/cases/, rounds
 *
 * Both take turns, one step each on the same batch, in one process; printed are the median steps in milliseconds and the median of the
 * rounds' ratios with quartiles. A second float32 step shows what of it is noise.
 */
import { compile, int8, nn, optim, Tensor, type Training, trainStep } from "../src/index.ts";
import { webRuntime } from "../src/runtime/web.ts";
import { seededRandom } from "../src/tensor/index.ts";
import { OPTIMIZER, type TrainingCase } from "./training/cases/case.ts";
import { CASES } from "./training/cases/index.ts";
import { MODELS } from "./training/models/index.ts";
import { median, quantile } from "./training/statistics.ts";

const WARM_STEPS = 2;

const PRECISIONS = { float32: undefined, "float32 again": undefined, int8: int8() };

async function measure(one: TrainingCase, rounds: number): Promise<void> {
  const { input, batch, classes, name } = one;
  const isTokens = input.kind === "tokens";
  const shape = [batch, ...(isTokens ? [input.length] : input.shape)];
  const runtime = await webRuntime({ threads: 1 });
  const inputs = {
    x: { shape, dtype: isTokens ? "int32" : "float32" },
    label: { shape: [batch], dtype: "int32" },
  } as const;
  const steps: [string, Training][] = [];
  for (const [kind, precision] of Object.entries(PRECISIONS)) {
    const step = trainStep({
      inputs,
      loss: ({ x, label }, scope) => nn.crossEntropy(MODELS[name](x!, scope), label!, scope),
      optimizer: optim.sgd(OPTIMIZER),
      precision,
    });
    steps.push([kind, await compile(step, { runtime, seed: 1 })]);
  }
  const random = seededRandom(1);
  const count = shape.reduce((a, b) => a * b, 1);
  const x = isTokens
    ? new Tensor(
        "int32",
        shape,
        Int32Array.from({ length: count }, () => random.integer(input.vocabulary)),
      )
    : new Tensor(
        "float32",
        shape,
        Float32Array.from({ length: count }, () => random.normal()),
      );
  const label = new Tensor(
    "int32",
    [batch],
    Int32Array.from({ length: batch }, () => random.integer(classes)),
  );
  const times = steps.map((): number[] => []);
  for (let round = -WARM_STEPS; round < rounds; round++) {
    for (const [index, [, training]] of steps.entries()) {
      const started = performance.now();
      await training.run({ x, label });
      if (round >= 0) times[index]!.push(performance.now() - started);
    }
  }
  const float = times[0]!;
  console.log(`${name}, batch ${batch}: ${one.description}; ${runtime.description}, 1 thread, ${rounds} rounds`);
  for (const [index, [kind]] of steps.entries()) {
    const ratios = float.map((ms, round) => ms / times[index]![round]!);
    const [middle, low, high] = [median(ratios), quantile(ratios, 0.25), quantile(ratios, 0.75)].map((r) =>
      r.toFixed(2),
    );
    console.log(
      `${kind.padEnd(14)} ${median(times[index]!).toFixed(0).padStart(6)} ms  ${middle} (${low} - ${high}) times as fast`,
    );
  }
  for (const [, training] of steps) await training.release();
}

const [wanted = "mlp-2048", rounds = "9"] = process.argv.slice(2);
const found = CASES.find(({ name }) => name === wanted);
if (!found) throw new Error(`the case must be among ${CASES.map(({ name }) => name).join(", ")}, got "${wanted}".`);
await measure(found, Number(rounds));
