/** Twenty steps of a convnet: the losses, to be compared between devices. */
import { compile, nn, optim, type Runtime, Tensor, trainStep } from "../../src/index.ts";
import { seededRandom } from "../../src/tensor/index.ts";

const BATCH = 8;
const CLASSES = 4;

const model = nn.sequential({
  stem: nn.conv({ channels: 8, kernel: 3, padding: 1, bias: false }),
  norm: nn.batchNorm(),
  relu: nn.relu(),
  pool: nn.maxPool({ kernel: 2 }),
  drop: nn.dropout(0.1),
  body: nn.residual(nn.sequential([nn.conv({ channels: 8, kernel: 3, padding: 1 }), nn.gelu()])),
  down: nn.conv({ channels: 16, kernel: 3, stride: 2, padding: 1 }),
  act: nn.relu(),
  mean: nn.globalAveragePool(),
  flat: nn.flatten(),
  head: nn.linear(CLASSES),
});

/** Trains on the same pictures on any device and returns the loss of every step, then of every parameter its sum. */
export async function twentySteps(runtime: Runtime): Promise<{ losses: number[]; sums: Record<string, number> }> {
  const random = seededRandom(4);
  const image = Float32Array.from({ length: BATCH * 3 * 64 }, () => random.normal());
  const labels = Int32Array.from({ length: BATCH }, () => random.integer(CLASSES));
  const step = trainStep({
    inputs: { image: { shape: [BATCH, 3, 8, 8] }, label: { shape: [BATCH], dtype: "int32" } },
    loss: ({ image, label }, scope) => nn.crossEntropy(model(image!, scope), label!, scope),
    optimizer: optim.sgd({ learningRate: 0.05, momentum: 0.9 }),
  });
  const training = await compile(step, { runtime, seed: 3 });
  const batch = { image: new Tensor("float32", [BATCH, 3, 8, 8], image), label: new Tensor("int32", [BATCH], labels) };
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) losses.push(Number((await training.run(batch)).loss!.data[0]));
  const parameters = step.variables.filter(({ role }) => role === "parameter");
  const variables = await training.variables();
  const sums = Object.fromEntries(
    parameters.map(({ path }) => [path, (variables[path]!.data as Float32Array).reduce((a, b) => a + b, 0)]),
  );
  await training.release();
  return { losses, sums };
}
