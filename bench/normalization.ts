/**
 * What a training step costs with each batch normalization, next to the ordinary one (L2 over the whole batch).
 *
 *   npx tsx bench/normalization.ts                    # resnet20 and small-convnet, batch 128
 *   npx tsx bench/normalization.ts resnet20 15        # one network, rounds
 *
 * All kinds take turns, one step each, in one process; printed are medians of the rounds' ratios to the ordinary norm, with
 * quartiles, and the ordinary step's median in milliseconds. A second ordinary norm shows what of it is noise. Bounded weight norm
 * comes with the norm that it is published with, of the mean only: what it costs is the difference to that.
 */
import { compile, findModel, nn, optim, Tensor, type Training, trainStep } from "../src/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { seededRandom } from "../src/tensor/index.ts";

const BATCH = 128;
const WARM_STEPS = 3;

const KINDS: Readonly<Record<string, nn.BatchNormOptions>> = {
  l2: {},
  "l2 again": {},
  l1: { deviation: "l1" },
  "l-infinity": { deviation: "l-infinity" },
  "top-10": { deviation: { top: 10 } },
  range: { deviation: "range" },
  "range-16": { deviation: { range: 16 } },
  "l2, ghost 32": { ghost: 32 },
  "l1, ghost 32": { deviation: "l1", ghost: 32 },
  "mean only": { deviation: "none" },
  bwn: { deviation: "none" },
};

const isBody = (path: string, shape: readonly number[]): boolean => shape.length >= 2 && !path.startsWith("head");

async function measure(name: string, rounds: number): Promise<void> {
  const { sampleShape } = findModel(name);
  const random = seededRandom(1);
  const shape = [BATCH, ...sampleShape];
  const size = shape.reduce((a, b) => a * b, 1);
  const x = new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: size }, () => random.normal()),
  );
  const label = new Tensor(
    "int32",
    [BATCH],
    Int32Array.from({ length: BATCH }, () => random.integer(10)),
  );
  const runtime = await nodeRuntime();
  const trainings = new Map<string, Training>();
  for (const [kind, options] of Object.entries(KINDS)) {
    const plain = findModel(name).build({ classes: 10, normalization: () => nn.batchNorm(options) });
    const model = kind === "bwn" ? nn.boundedWeightNorm(plain, { match: isBody }) : plain;
    const step = trainStep({
      inputs: { x: { shape }, label: { shape: [BATCH], dtype: "int32" } },
      loss: (inputs, scope) => nn.crossEntropy(model(inputs.x!, scope), inputs.label!, scope),
      optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }),
    });
    const training = await compile(step, { runtime });
    for (let i = 0; i < WARM_STEPS; i++) await training.run({ x, label });
    trainings.set(kind, training);
  }
  const times = new Map(Object.keys(KINDS).map((kind) => [kind, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [kind, training] of trainings) {
      const start = performance.now();
      await training.run({ x, label });
      times.get(kind)!.push(performance.now() - start);
    }
  }
  const ordinary = times.get("l2")!;
  console.log(`${name}, batch ${BATCH}, ${rounds} rounds: l2 ${quantile(ordinary, 0.5).toFixed(1)} ms per step`);
  for (const [kind, all] of times) {
    const ratios = all.map((time, round) => time / ordinary[round]!);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
    console.log(`  ${kind.padEnd(14)} ${middle} (${low} to ${high})`);
  }
  for (const training of trainings.values()) await training.release();
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

const [only, rounds = "21"] = process.argv.slice(2);
for (const name of only ? [only] : ["small-convnet", "resnet20"]) await measure(name, Number(rounds));
