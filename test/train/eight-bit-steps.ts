/** Steps of a convnet in 8 bits: the losses, to be compared between devices. */
import { compile, type Int8Options, int8, nn, optim, type Runtime, Tensor, trainStep } from "../../src/index.ts";
import { seededRandom } from "../../src/tensor/index.ts";

const BATCH = 16;
const CLASSES = 4;

const model = nn.sequential({
  stem: nn.conv({ channels: 8, kernel: 3, padding: 1, bias: false }),
  norm: nn.batchNorm({ deviation: { range: 4 } }),
  relu: nn.relu(),
  pool: nn.maxPool({ kernel: 2 }),
  body: nn.residual(nn.sequential([nn.conv({ channels: 8, kernel: 3, padding: 1 }), nn.relu()])),
  flat: nn.flatten(),
  // Large enough for products of bytes.
  wide: nn.linear(256),
  act: nn.relu(),
  head: nn.linear(CLASSES),
});

/** Options that take every way of writing a rounding. */
export const variants = {
  "8 bits": {},
  published: { grid: "range", weightGradients: 16, activations: { range: "sample" }, weights: { range: "channel" } },
  "delayed ranges, noise everywhere": {
    activations: { range: "delayed", rounding: "stochastic" },
    weights: { rounding: "stochastic" },
    gradients: { range: "delayed" },
  },
  "logarithmic gradients": { gradients: { bits: 4, logarithmic: true } },
} as const satisfies Readonly<Record<string, Int8Options>>;

/** Trains on the same pictures on any device; returns the loss of every step. Without options: in float32. */
export async function eightBitSteps(runtime: Runtime, options: Int8Options | undefined): Promise<number[]> {
  const random = seededRandom(4);
  const image = Float32Array.from({ length: BATCH * 3 * 64 }, () => random.normal());
  const labels = Int32Array.from({ length: BATCH }, () => random.integer(CLASSES));
  const step = trainStep({
    inputs: { image: { shape: [BATCH, 3, 8, 8] }, label: { shape: [BATCH], dtype: "int32" } },
    loss: ({ image, label }, scope) => nn.crossEntropy(model(image!, scope), label!, scope),
    optimizer: optim.sgd({ learningRate: 0.02, momentum: 0.9 }),
    ...(options && { precision: int8(options) }),
  });
  const training = await compile(step, { runtime, seed: 3 });
  const batch = { image: new Tensor("float32", [BATCH, 3, 8, 8], image), label: new Tensor("int32", [BATCH], labels) };
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push(Number((await training.run(batch)).loss!.data[0]));
  await training.release();
  return losses;
}
