/**
 * What a fixed head's product costs on the CPU: the matrix stored, generated when the file is loaded, or a fast Walsh-Hadamard transform.
 *
 *   npx tsx bench/fixed-head.ts
 *
 * Prints, for batches of 64 on one thread, medians of milliseconds of forms in turns: a forward pass of the exported head, and a step of
 * SGD of a gain for each feature before the head, which needs the product and its transpose. Then the file's bytes, milliseconds to load
 * it, and how many times as many operations the product with the matrix has as the fast one.
 */
import { compile, exportOnnx, float32, int64, nn, optim, type Scope, trainStep, type Value } from "../src/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { type Random, seededRandom } from "../src/tensor/index.ts";

const BATCH = 64;
const ROUNDS = 60;
const SIZES = [
  [64, 10],
  [64, 64],
  [1024, 10],
  [2048, 10],
  [128, 100],
  [256, 100],
  [512, 100],
  [256, 200],
  [256, 250],
  [512, 250],
  [512, 500],
  [512, 1000],
  [2048, 1000],
  [512, 10_000],
] as const;

interface Lane {
  readonly form: nn.FixedHeadForm;
  readonly forward: () => Promise<unknown>;
  readonly step: () => Promise<unknown>;
  readonly release: () => Promise<void>;
  readonly sizeBytes: number;
  readonly loadMs: number;
  readonly forwardMs: number[];
  readonly stepMs: number[];
}

const runtime = await nodeRuntime({ threads: 1 });
for (const [features, classes] of SIZES) {
  // Ten thousand directions in 512 dimensions are columns of a larger matrix: there is no fast transform for them.
  const isFast = classes <= 2 * (features - 1);
  const forms = isFast ? (["dense", "generated", "fast"] as const) : (["dense", "generated"] as const);
  const code = nn.hadamardCode({ wide: isFast ? "biorthogonal" : "random-columns" });
  const lanes: Lane[] = [];
  for (const form of forms) lanes.push(await laneOf(features, classes, code, form));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { forward, step, forwardMs, stepMs } of lanes) {
      forwardMs.push(await timed(forward));
      stepMs.push(await timed(step));
    }
  }
  for (const { form, forwardMs, stepMs, sizeBytes, loadMs, release } of lanes) {
    const operations =
      form === "fast" ? `, ${savedOperations(features, classes).toFixed(1)} times fewer operations` : "";
    console.log(
      `${features} x ${classes}, ${form}: forward ${median(forwardMs).toFixed(3)} ms, step ${median(stepMs).toFixed(3)} ms, ` +
        `${sizeBytes} bytes, loaded in ${loadMs.toFixed(0)} ms${operations}`,
    );
    await release();
  }
}

async function laneOf(features: number, classes: number, code: nn.ClassCode, form: nn.FixedHeadForm): Promise<Lane> {
  const head = nn.fixedHead({ code, scale: 1, bias: false, form })(classes);
  const file = exportOnnx({
    inputs: { x: { shape: ["batch", features] } },
    outputs: ({ x }, scope) => head(x!, scope),
    variables: {},
  });
  const started = performance.now();
  const session = await runtime.createSession(file);
  const loadMs = performance.now() - started;
  const random = seededRandom(1);
  const x = float32([BATCH, features], normalNumbers(BATCH * features, random));
  const label = int64(Array.from({ length: BATCH }, () => random.integer(classes)));
  const gained = (value: Value, scope: Scope): Value =>
    head(scope.ops.mul(value, scope.parameter("gain", [features], nn.constant(1))), scope);
  const training = await compile(
    trainStep({
      inputs: { x: { shape: [BATCH, features] }, label: { shape: [BATCH], dtype: "int64" } },
      loss: ({ x, label }, scope) => nn.crossEntropy(gained(x!, scope), label!, scope),
      optimizer: optim.sgd({ learningRate: 0.001 }),
    }),
    { runtime },
  );
  return {
    form,
    forward: () => session.run({ x }),
    step: () => training.run({ x, label }),
    release: async () => {
      await session.release();
      await training.release();
    },
    sizeBytes: file.bytes.length,
    loadMs,
    forwardMs: [],
    stepMs: [],
  };
}

function normalNumbers(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]!;
}

/** Operations of the product with Q over those of the fast form: `fastProductCost` by what is public. */
function savedOperations(features: number, classes: number): number {
  const order = 2 ** Math.ceil(Math.log2(Math.min(classes + 1, features)));
  const a = 2 ** Math.floor(Math.log2(order) / 2);
  return (features * classes) / (order * (a + order / a) + (order < features ? features : 0));
}
