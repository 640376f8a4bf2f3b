/**
 * What every runtime must do, as plain functions that throw: tests in Node run them over each device there, and a page runs
 * them in a browser (so nothing here imports a test framework or Node).
 */
import type { ModelFile } from "../onnx/index.ts";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { expectClose, expectEqual, expectFailure, expectSame } from "./case-checks.cases.ts";
import {
  caseModel,
  dequantizing,
  doubling,
  multiplying,
  passThrough,
  QUANTIZED_FEEDS,
  quantizedAround,
  quantizing,
  SMALL_WEIGHTS_SUM,
  twoOutputs,
} from "./case-models.cases.ts";
import type { Runtime, Session, SessionOptions } from "./session.ts";

/** One thing a runtime must do; the title is a sentence about it. */
export interface RuntimeCase {
  readonly title: string;
  /** Throws unless the runtime does it. */
  run(runtime: Runtime): Promise<unknown>;
}

/** Every case, for every device. */
export const runtimeCases: readonly RuntimeCase[] = [
  {
    title: "gives exact results for every batch size of a dynamic batch axis, and for none at all",
    run: (runtime) =>
      using(runtime, doubling(), {}, async (session) => {
        for (const batch of [1, 5, 2, 0]) {
          const values = Array.from({ length: batch * 3 }, (_, i) => i - 4.5);
          const { y } = await session.run({ x: float32([batch, 3], values) });
          expectEqual(
            y,
            float32(
              [batch, 3],
              values.map((value) => 2 * value),
            ),
            `batch ${batch}`,
          );
        }
      }),
  },
  {
    title: "hands tensors of every element type in and out unchanged",
    run: (runtime) =>
      using(runtime, passThrough(SAMPLES), {}, async (session) => {
        const feeds = Object.fromEntries(SAMPLES.map((tensor) => [tensor.dtype, tensor]));
        const results = await session.run(feeds);
        for (const tensor of SAMPLES) expectEqual(results[`${tensor.dtype}_out`], tensor, tensor.dtype);
      }),
  },
  {
    title: "hands scalars in and out",
    run: (runtime) =>
      using(runtime, passThrough([float32([], [7])]), {}, async (session) => {
        expectEqual((await session.run({ float32: float32([], [7]) })).float32_out, float32([], [7]), "scalar");
      }),
  },
  {
    title: "computes only the outputs asked for, and lists the model's inputs and outputs in order",
    run: (runtime) =>
      using(runtime, twoOutputs(), {}, async (session) => {
        expectSame(session.inputNames.join(), "a,b", "input names");
        expectSame(session.outputNames.join(), "sum,product", "output names");
        const results = await session.run({ b: float32([1], [3]), a: float32([1], [2]) }, ["product"]);
        expectSame(Object.keys(results).join(), "product", "names of the results");
        expectEqual(results.product, float32([1], [6]), "product");
      }),
  },
  {
    title: "leaves inputs and earlier results alone when it runs again",
    run: (runtime) =>
      using(runtime, doubling(), {}, async (session) => {
        const x = float32([1, 3], [1, 2, 3]);
        const first = await session.run({ x });
        await session.run({ x: float32([1, 3], [7, 8, 9]) });
        expectEqual(first.y, float32([1, 3], [2, 4, 6]), "first result");
        expectEqual(x, float32([1, 3], [1, 2, 3]), "input");
      }),
  },
  {
    title: "runs many sessions side by side, and goes on after they are released",
    run: async (runtime) => {
      for (let round = 0; round < 3; round++) {
        const sessions = await Promise.all(Array.from({ length: 12 }, () => runtime.createSession(doubling())));
        const results = await Promise.all(sessions.map((session, i) => session.run({ x: float32([1, 3], [i, i, i]) })));
        for (const [i, { y }] of results.entries()) {
          expectEqual(y, float32([1, 3], [2 * i, 2 * i, 2 * i]), `session ${i}`);
        }
        await Promise.all(sessions.map((session) => session.release()));
      }
    },
  },
  {
    title: "holds outputs where they are, feeds them again, and reads them without disturbing them",
    run: (runtime) =>
      using(runtime, twoOutputs(), { held: ["sum"] }, async (session) => {
        const b = float32([1], [3]);
        const first = await session.runHolding({ a: float32([1], [2]), b });
        expectSame(Object.keys(first.results).join(), "product", "names of the other results");
        expectEqual(first.results.product, float32([1], [6]), "product");
        const { sum } = first.held;
        expectSame(`${sum!.dtype} [${sum!.shape}]`, "float32 [1]", "type of what is held");
        const second = await session.runHolding({ a: sum!, b });
        const read = await sum!.read();
        expectEqual(read, float32([1], [5]), "first sum");
        (read.data as Float32Array)[0] = 100;
        expectEqual(second.results.product, float32([1], [15]), "product of what was held");
        const third = await session.runHolding({ a: sum!, b: second.held.sum! });
        expectEqual(await third.held.sum!.read(), float32([1], [13]), "sum of what was held");
        for (const { held } of [first, second, third]) held.sum!.release();
        expectEqual((await session.run({ a: b, b })).sum, float32([1], [6]), "sum by a plain run");
      }),
  },
  {
    title: "leaves what is held alone while it runs on, and what was read of it after it is released",
    run: (runtime) =>
      using(runtime, twoOutputs(), { held: ["sum"] }, async (session) => {
        const b = float32([1], [3]);
        const first = await session.runHolding({ a: float32([1], [1]), b });
        const read = await first.held.sum!.read();
        const second = await session.runHolding({ a: first.held.sum!, b });
        expectEqual(await first.held.sum!.read(), float32([1], [4]), "first sum after a second run");
        first.held.sum!.release();
        first.held.sum!.release();
        const third = await session.runHolding({ a: second.held.sum!, b });
        const fourth = await session.runHolding({ a: third.held.sum!, b });
        expectEqual(await second.held.sum!.read(), float32([1], [7]), "second sum");
        expectEqual(await third.held.sum!.read(), float32([1], [10]), "third sum");
        expectEqual(await fourth.held.sum!.read(), float32([1], [13]), "fourth sum");
        expectEqual(read, float32([1], [4]), "what was read");
        expectEqual(first.results.product, float32([1], [3]), "first product");
        for (const { held } of [second, third, fourth]) held.sum!.release();
      }),
  },
  {
    title: "refuses to hold what is no output",
    run: (runtime) =>
      expectFailure(
        () => runtime.createSession(twoOutputs(), { held: ["x"] }),
        "runtime",
        'must be model outputs [sum, product], got "x"',
      ),
  },
  {
    title: "takes a second release calmly and refuses to run after the first",
    run: async (runtime) => {
      const session = await runtime.createSession(doubling());
      await session.release();
      await session.release();
      await expectFailure(() => session.run({ x: float32([1, 3], [1, 2, 3]) }), "runtime", "must not be released");
    },
  },
  {
    title: "accepts every level of optimization",
    run: async (runtime) => {
      for (const optimization of ["all", "basic", "disabled"] as const) {
        await using(runtime, doubling(), { optimization, exactIntegers: true }, async (session) => {
          const { y } = await session.run({ x: float32([1, 3], [1, 2, 3]) });
          expectEqual(y, float32([1, 3], [2, 4, 6]), optimization);
        });
      }
    },
  },
  {
    title: "refuses bytes that are no model",
    run: (runtime) =>
      expectFailure(
        () => runtime.createSession(file(Uint8Array.of(1, 2, 3))),
        "runtime",
        "createSession: ONNX Runtime must accept",
      ),
  },
  {
    title: "refuses an operator that does not exist, naming it",
    run: (runtime) =>
      expectFailure(
        () =>
          runtime.createSession(
            caseModel(({ emitter, input }) => [emitter.emit("Frobnicate", [input("x", "float32", [1])])]),
          ),
        "runtime",
        "Frobnicate",
      ),
  },
  {
    title: "refuses feeds that are missing, unknown or of another element type, naming the input",
    run: (runtime) =>
      using(runtime, doubling(), {}, async (session) => {
        const x = float32([1, 3], [1, 2, 3]);
        await expectFailure(() => session.run({}), "runtime", 'must hold every model input [x], got none for "x"');
        await expectFailure(() => session.run({ x, z: x }), "runtime", 'got one named "z"');
        await expectFailure(
          () => session.run({ x: int64([1, 2, 3], [1, 3]) }),
          "dtype",
          '"x" must be float32, got int64',
        );
        await expectFailure(() => session.run({ x }, ["nothing"]), "runtime", 'model outputs [y], got "nothing"');
      }),
  },
  {
    title: "refuses a shape the model does not allow",
    run: (runtime) =>
      using(runtime, doubling(), {}, (session) =>
        expectFailure(() => session.run({ x: float32([1, 4], [1, 2, 3, 4]) }), "runtime", "x"),
      ),
  },
  {
    title: "names the node at fault when a run fails, in one short line, and works afterwards",
    run: (runtime) =>
      using(runtime, multiplying(), {}, async (session) => {
        const [row, column] = [float32([1, 2], [3, 4]), float32([2, 1], [5, 6])];
        const message = await expectFailure(() => session.run({ a: row, b: row }), "runtime", 'MatMul node "product"');
        expectSame(message.includes("\n") || message.length > 600, false, `a short line, got "${message}"`);
        expectEqual((await session.run({ a: row, b: column })).y, float32([1, 1], [39]), "after the failure");
      }),
  },
  {
    title:
      "refuses inputs and outputs below 8 bits, and of types JavaScript has no array for, when the session is made",
    run: async (runtime) => {
      for (const dtype of ["int4", "uint4"] as const) {
        await expectFailure(() => runtime.createSession(quantizing(dtype)), "unsupported", dtype);
        await expectFailure(() => runtime.createSession(dequantizing(dtype)), "unsupported", dtype);
      }
      const bfloat16 = caseModel(({ emitter, input }) => [
        emitter.emit("Identity", [input("x", "bfloat16", [2])], { dtype: "bfloat16", shape: [2] }),
      ]);
      await expectFailure(() => runtime.createSession(bfloat16), "unsupported", "bfloat16");
    },
  },
  {
    title: "keeps quantize and dequantize where they are when told to: weights between them stay float",
    run: (runtime) =>
      using(runtime, quantizedAround(), { keepQuantization: true }, async (session) => {
        const { y } = await session.run(QUANTIZED_FEEDS);
        expectClose(y, SMALL_WEIGHTS_SUM, 0.5 / 255, "half a step of the output's codes");
      }),
  },
  {
    title: "reads weight files that lie beside the model, in folders too, at every level of optimization",
    run: async (runtime) => {
      const weights = Float32Array.from({ length: 1024 }, (_, i) => i);
      const model = caseModel(
        ({ emitter, input }) => [
          emitter.emit("Add", [input("x", "float32", [1024]), emitter.constant("w", float32([1024], weights))], {
            output: "y",
            dtype: "float32",
            shape: [1024],
          }),
        ],
        { externalData: { location: "weights/part-1.bin", thresholdBytes: 16 } },
      );
      expectSame(model.external.map((external) => external.location).join(), "weights/part-1.bin", "weight files");
      for (const optimization of ["all", "disabled"] as const) {
        await using(runtime, model, { optimization }, async (session) => {
          const { y } = await session.run({ x: float32([1024], weights) });
          expectEqual(
            y,
            float32(
              [1024],
              weights.map((value) => 2 * value),
            ),
            optimization,
          );
        });
      }
    },
  },
  {
    title: "takes inputs that lie in memory shared between threads",
    run: async (runtime) => {
      if (typeof SharedArrayBuffer === "undefined") return;
      await using(runtime, doubling(), {}, async (session) => {
        const shared = new Float32Array(new SharedArrayBuffer(12));
        shared.set([1, 2, 3]);
        expectEqual((await session.run({ x: float32([1, 3], shared) })).y, float32([1, 3], [2, 4, 6]), "shared");
      });
    },
  },
  {
    title: "refuses threads that are no whole number above 0",
    run: async (runtime) => {
      for (const threads of [0, -1, 1.5, Number.NaN]) {
        await expectFailure(() => runtime.createSession(doubling(), { threads }), "option", `got ${threads}`);
      }
    },
  },
  {
    title: "says what it is for reports",
    run: async (runtime) => {
      expectSame(/^onnxruntime-(node|web) \d+\.\d+\.\d+$/.test(runtime.description), true, runtime.description);
    },
  },
];

/** What came of a case: `failure` is null when the runtime does what it must. */
export interface CaseResult {
  readonly title: string;
  readonly failure: string | null;
}

/** Runs every case over a runtime where no test framework is: in a page or a process of its own. */
export async function runRuntimeCases(runtime: Runtime): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { title, run } of runtimeCases) {
    const failure = await run(runtime).then(
      () => null,
      (error) => String(error instanceof Error ? error.message : error),
    );
    results.push({ title, failure });
  }
  return results;
}

/**
 * Returns what the model of `keepQuantization` gives when nothing is kept: on processors where ONNX Runtime makes weights 8-bit,
 * far from SMALL_WEIGHTS_SUM. Shows that the case can fail.
 */
export async function resultOfRewrittenWeights(runtime: Runtime): Promise<number> {
  const session = await runtime.createSession(quantizedAround());
  try {
    const { y } = await session.run(QUANTIZED_FEEDS);
    return (y!.data as Float32Array)[0]!;
  } finally {
    await session.release();
  }
}

const SAMPLES: readonly Tensor[] = [
  float32([2, 2], [1.5, -0, Number.POSITIVE_INFINITY, 2 ** -149]),
  new Tensor("float64", [2], Float64Array.of(Math.PI, -1e300)),
  new Tensor("float16", [3], Uint16Array.of(0x3c00, 0xfbff, 0x0001)),
  new Tensor("uint8", [2], Uint8Array.of(0, 255)),
  new Tensor("int8", [2], Int8Array.of(-128, 127)),
  new Tensor("uint16", [2], Uint16Array.of(0, 65535)),
  new Tensor("int16", [2], Int16Array.of(-32768, 32767)),
  new Tensor("uint32", [2], Uint32Array.of(0, 2 ** 32 - 1)),
  new Tensor("int32", [2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
  new Tensor("uint64", [2], BigUint64Array.of(0n, 2n ** 64n - 1n)),
  new Tensor("int64", [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  new Tensor("bool", [3], Uint8Array.of(1, 0, 1)),
  new Tensor("string", [2], ["ä€", ""]),
];

function file(bytes: Uint8Array): ModelFile {
  return { bytes, external: [] };
}

async function using(
  runtime: Runtime,
  model: ModelFile,
  options: SessionOptions,
  body: (session: Session) => Promise<unknown>,
): Promise<void> {
  const session = await runtime.createSession(model, options);
  try {
    await body(session);
  } finally {
    await session.release();
  }
}
