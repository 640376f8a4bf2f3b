/** What the sessions of onnxruntime-node and onnxruntime-web share: checks, conversion, errors. */
import type { InferenceSession, TensorConstructor } from "onnxruntime-common";
import { DTypeError, OptionError, RuntimeFailure, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import { toRuntimeFailure } from "./ort-error.ts";
import { fromOrtTensor, isTransferable, toOrtTensor } from "./ort-tensor.ts";
import type { Session, SessionOptions } from "./session.ts";

/** Log level that prints nothing short of a crash: failures arrive as exceptions, warnings are no news to users. */
const QUIET = 4;

/** Returns the options of a session that both packages spell alike. */
export function toOrtOptions(options: SessionOptions): InferenceSession.SessionOptions {
  const { optimization = "all", keepQuantization = false, exactIntegers = false, threads } = options;
  assertThreads(threads);
  const session: Record<string, string> = {};
  if (keepQuantization) session.disable_quant_qdq = "1";
  if (exactIntegers) session.x64quantprecision = "1";
  return {
    graphOptimizationLevel: optimization,
    logSeverityLevel: QUIET,
    extra: { session },
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  };
}

/** Throws OptionError unless `threads` is undefined or a whole number above 0. */
export function assertThreads(threads: number | undefined): void {
  if (threads === undefined || (Number.isInteger(threads) && threads > 0)) return;
  throw new OptionError(`runtime: threads must be a whole number of at least 1, got ${threads}.`);
}

/** What differs between the two packages. */
export interface SessionHost {
  /** The package's own tensor class. */
  readonly OrtTensorClass: TensorConstructor;
  /** Runs work on the engine, after what it is doing now if it must. */
  readonly oneAtATime: <T>(work: () => Promise<T>) => Promise<T>;
  /** Called once after the session is released. */
  readonly onRelease?: () => Promise<void>;
}

/**
 * Wraps a session of ONNX Runtime.
 *
 * @throws UnsupportedError if an input or output is no tensor, or of a type that cannot cross to JavaScript.
 */
export async function wrapSession(session: InferenceSession, host: SessionHost): Promise<Session> {
  const { OrtTensorClass, oneAtATime, onRelease } = host;
  try {
    for (const metadata of session.inputMetadata) assertTransferable(metadata, "input");
    for (const metadata of session.outputMetadata) assertTransferable(metadata, "output");
  } catch (error) {
    await session.release();
    throw error;
  }
  const dtypes = new Map(session.inputMetadata.map((metadata) => [metadata.name, metadata.isTensor && metadata.type]));
  let released = false;
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds, fetches = session.outputNames) {
      if (released) throw new RuntimeFailure("session: must not be released before it runs. Release it last.");
      assertFeeds(feeds, dtypes);
      assertFetches(fetches, session.outputNames);
      const converted = Object.entries(feeds).map(([name, tensor]) => [name, toOrtTensor(tensor, OrtTensorClass)]);
      let results: InferenceSession.OnnxValueMapType;
      try {
        results = await oneAtATime(() =>
          session.run(Object.fromEntries(converted), fetches, { logSeverityLevel: QUIET }),
        );
      } catch (error) {
        throw toRuntimeFailure("run", error);
      }
      return Object.fromEntries(fetches.map((name) => [name, fromOrtTensor(results[name]!)]));
    },
    async release() {
      if (released) return;
      released = true;
      await oneAtATime(() => session.release());
      await onRelease?.();
    },
  };
}

function assertTransferable(metadata: InferenceSession.ValueMetadata, role: "input" | "output"): void {
  if (metadata.isTensor && isTransferable(metadata.type)) return;
  throw new UnsupportedError(
    `runtime: model ${role} "${metadata.name}" must be a tensor of 8 bits or more per element, ` +
      `got ${metadata.isTensor ? metadata.type : "a sequence, map or optional"}. Convert it inside the model.`,
  );
}

function assertFeeds(feeds: Readonly<Record<string, Tensor>>, dtypes: ReadonlyMap<string, string | false>): void {
  const expected = `[${[...dtypes.keys()].join(", ")}]`;
  for (const name of dtypes.keys()) {
    if (feeds[name] === undefined) {
      throw new RuntimeFailure(`run: feeds must hold every model input ${expected}, got none for "${name}".`);
    }
  }
  for (const [name, tensor] of Object.entries(feeds)) {
    const dtype = dtypes.get(name);
    if (dtype === undefined) {
      throw new RuntimeFailure(`run: feeds must be model inputs ${expected}, got one named "${name}".`);
    }
    if (tensor.dtype !== dtype) {
      throw new DTypeError(`run: model input "${name}" must be ${dtype}, got ${tensor.dtype}.`);
    }
  }
}

function assertFetches(fetches: readonly string[], outputNames: readonly string[]): void {
  const unknown = fetches.find((name) => !outputNames.includes(name));
  if (unknown === undefined) return;
  throw new RuntimeFailure(`run: fetches must be model outputs [${outputNames.join(", ")}], got "${unknown}".`);
}
