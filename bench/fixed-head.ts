/**
 * What a fixed head's product costs on the CPU: the matrix stored, generated when the file is loaded, or a fast Walsh-Hadamard transform.
 *
 *   npx tsx bench/fixed-head.ts
 *
 * Prints, for batches of 64, medians of milliseconds for a forward pass in turns, the file's bytes, and milliseconds to load it.
 */
import { exportOnnx, float32, nn } from "../src/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { seededRandom } from "../src/tensor/index.ts";

const BATCH = 64;
const ROUNDS = 40;
const SIZES = [
  [64, 10],
  [512, 1000],
  [2048, 1000],
  [512, 10_000],
] as const;

const runtime = await nodeRuntime({ threads: 1 });
for (const [features, classes] of SIZES) {
  // Ten thousand directions in 512 dimensions are columns of a larger matrix: there is no fast transform for them.
  const wide = classes > 2 * (features - 1) ? "random-columns" : "biorthogonal";
  const forms =
    wide === "random-columns" ? (["dense", "generated"] as const) : (["dense", "generated", "fast"] as const);
  const lanes = await Promise.all(forms.map((form) => lane(features, classes, wide, form)));
  const random = seededRandom(1);
  const x = float32(
    [BATCH, features],
    Float32Array.from({ length: BATCH * features }, () => random.normal()),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { session, times } of lanes) {
      const start = performance.now();
      await session.run({ x });
      times.push(performance.now() - start);
    }
  }
  for (const { form, session, times, sizeBytes, loadMs } of lanes) {
    const median = times.sort((a, b) => a - b)[times.length >> 1]!;
    console.log(
      `${features} x ${classes}, ${form}: ${median.toFixed(3)} ms, ${sizeBytes} bytes, loaded in ${loadMs.toFixed(0)} ms`,
    );
    await session.release();
  }
}

async function lane(
  features: number,
  classes: number,
  wide: "random-columns" | "biorthogonal",
  form: nn.FixedHeadForm,
) {
  const head = nn.fixedHead({ code: nn.hadamardCode({ wide }), scale: 1, bias: false, form })(classes);
  const file = exportOnnx({
    inputs: { x: { shape: ["batch", features] } },
    outputs: ({ x }, scope) => head(x!, scope),
    variables: {},
  });
  const start = performance.now();
  const session = await runtime.createSession(file);
  return { form, session, times: [] as number[], sizeBytes: file.bytes.length, loadMs: performance.now() - start };
}
