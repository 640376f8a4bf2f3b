/** Deviations in simulated half precision: arXiv:1803.01814, section 5. */
import { beforeAll, expect, it } from "vitest";
import { Ops, Scope, type VariableDeclaration } from "../../src/build/index.ts";
import { nn } from "../../src/index.ts";
import { type Accumulator, simulateFloat16 } from "../../src/lower/simulate-float16.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { Program, type Value } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, seededRandom, tensorOf, toNumbers } from "../../src/tensor/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

const COUNT = 4096;
/** 1e-6 to 1e4 */
const SIGMAS = Array.from({ length: 11 }, (_, i) => 10 ** (i - 6));

/** Normal numbers, one channel for each sigma. */
function channels(sigmas: readonly number[]) {
  const random = seededRandom(1);
  const data = Float32Array.from(
    { length: COUNT * sigmas.length },
    (_, i) => sigmas[i % sigmas.length]! * random.normal(),
  );
  return float32([COUNT, sigmas.length], data);
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "in half precision", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Runs a norm in simulated half precision; returns y and d / sigma of each channel. */
  async function run(options: nn.BatchNormOptions, sigmas: readonly number[], accumulator: Accumulator = "float32") {
    const ops = new Ops();
    const updated = new Map<string, Value>();
    const variables = {
      declare: (_path: string, { shape, dtype, role }: VariableDeclaration) =>
        ops.constant(tensorOf(dtype, shape, new Array(shape[0]!).fill(role === "parameter" ? 1 : 0))),
      update: (path: string, value: Value) => updated.set(path, value),
    };
    const x = channels(sigmas);
    // All of the running deviation is the batch's.
    const layer = nn.batchNorm({ momentum: 1, running: "deviation", affine: false, ...options });
    const y = layer(ops.input("x", "float32", x.shape), new Scope(ops, { variables, training: true }));
    ops.writer.graph.outputs = [ops.identity(y), ops.identity(updated.get("runningDeviation")!)];
    const program = simulateFloat16(new Program(ops.writer.graph, ops.writer.opsets), { accumulator });
    const session = await runtime.createSession(writeModel(program));
    const results = await session.run({ x });
    const [normalized, d] = session.outputNames.map((name) => toNumbers(results[name]!)) as [
      Float64Array,
      Float64Array,
    ];
    await session.release();
    return { y: normalized, ratios: sigmas.map((sigma, channel) => d[channel]! / sigma) };
  }

  it("L1 keeps the scale of numbers from 1e-6 to 1e4", async () => {
    const { ratios } = await run({ deviation: "l1", epsilon: 0 }, SIGMAS);
    // The mean of magnitudes and d are each rounded to a multiple of 6e-8, half of that off; draws scatter by 1.2 %.
    ratios.forEach((ratio, i) => {
      expect(Math.abs(ratio - 1)).toBeLessThan(0.04 + 6e-8 / SIGMAS[i]!);
    });
  });

  it("L-infinity is finite too", async () => {
    const { ratios } = await run({ deviation: "l-infinity", epsilon: 0 }, SIGMAS);
    // The largest of 4096 scatters by 8 %.
    for (const ratio of ratios) {
      expect(ratio).toBeGreaterThan(0.8);
      expect(ratio).toBeLessThan(1.3);
    }
  });

  it("the range is finite as long as it is a float16 number itself", async () => {
    const { ratios } = await run({ deviation: "range", constant: "reference", epsilon: 0 }, SIGMAS);
    // 0.961 of a standard deviation; the range of 4096 scatters by 7 %. The specification found 0.86 to 1.1.
    for (const ratio of ratios.slice(0, -1)) {
      expect(ratio).toBeGreaterThan(0.961 * 0.8);
      expect(ratio).toBeLessThan(0.961 * 1.2);
    }
    // 7.25 times 1e4 is beyond 65504.
    expect(ratios.at(-1)).toBe(Infinity);
  });

  it("L2 vanishes below and overflows above, because squares do", async () => {
    const { ratios } = await run({ epsilon: 0 }, SIGMAS);
    // At 1e-4 some squares are left; their mean, rounded to float16 too, is not.
    expect(ratios.slice(0, 3)).toEqual([0, 0, 0]);
    for (const ratio of ratios.slice(3, 8)) expect(Math.abs(ratio - 1)).toBeLessThan(0.06);
    expect(ratios.slice(8)).toEqual([Infinity, Infinity, Infinity]);
  });

  it("sums need more than one float16 after the other", async () => {
    const naive = await run({ deviation: "l1" }, [1], "sequential");
    const byHalves = await run({ deviation: "l1" }, [1], "pairwise");
    // 4096 magnitudes add up to 3268, where float16 has steps of 2; squares to 4096. The specification found 0.923 and 0.972.
    expect(Math.abs(naive.ratios[0]! - 0.923)).toBeLessThan(0.02);
    const squares = await run({}, [1], "sequential");
    expect(Math.abs(squares.ratios[0]! - 0.972)).toBeLessThan(0.02);
    expect(Math.abs(byHalves.ratios[0]! - 1)).toBeLessThan(0.03);
  });

  it.each([300, 1e-5])("L1 passes numbers of size %d on, L2 does not", async (sigma) => {
    const deviationOf = (values: Float64Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    const [l1, l2] = [await run({ deviation: "l1" }, [sigma]), await run({}, [sigma])];
    // Epsilon, 1e-5, is as large as the smaller sigma.
    expect(deviationOf(l1.y)).toBeGreaterThan(0.45);
    expect(deviationOf(l1.y)).toBeLessThan(1.05);
    expect(deviationOf(l2.y)).toBeLessThan(0.01);
  });
});
