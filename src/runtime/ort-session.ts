/** What the sessions of onnxruntime-node and onnxruntime-web share: checks, conversion, errors. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-common";
import { DTypeError, OptionError, RuntimeFailure, UnsupportedError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import { GivenOutputs } from "./given-outputs.ts";
import { HeldOrtTensor } from "./held-ort-tensor.ts";
import { toRuntimeFailure } from "./ort-error.ts";
import { fromOrtTensor, isTransferable, toOrtTensor } from "./ort-tensor.ts";
import type { HeldTensor, Session, SessionOptions } from "./session.ts";
import { isRefusalToConvert, UNCONVERTIBLE } from "./unconvertible-output.ts";

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
  /** Outputs that `runHolding` holds. */
  readonly held?: readonly string[] | undefined;
  /** Called once after the session is released. */
  readonly onRelease?: () => Promise<void>;
}

/**
 * Wraps a session of ONNX Runtime. Where its model has an unconvertible output, `runHolding` copies nothing.
 *
 * @throws UnsupportedError if an input or output is no tensor, or of a type that cannot cross to JavaScript.
 */
export async function wrapSession(session: InferenceSession, host: SessionHost): Promise<Session> {
  const { onRelease, oneAtATime, held = [] } = host;
  const outputNames = session.outputNames.filter((name) => name !== UNCONVERTIBLE);
  try {
    for (const metadata of session.inputMetadata) assertTransferable(metadata, "input");
    for (const metadata of session.outputMetadata) {
      if (metadata.name !== UNCONVERTIBLE) assertTransferable(metadata, "output");
    }
    assertFetches(held, outputNames);
  } catch (error) {
    await session.release();
    throw error;
  }
  const runs = new OrtRuns(session, host);
  const given = GivenOutputs.of(session, held, host.OrtTensorClass);
  let released = false;
  const assertUsable = (): void => {
    if (released) throw new RuntimeFailure("session: must not be released before it runs. Release it last.");
  };
  return {
    inputNames: session.inputNames,
    outputNames,
    async run(feeds, fetches = outputNames) {
      assertUsable();
      assertFetches(fetches, outputNames);
      const results = await runs.run(feeds, fetches);
      const tensors = await Promise.all(fetches.map(async (name) => [name, await fromOrtTensor(results[name]!)]));
      return Object.fromEntries(tensors);
    },
    async runHolding(feeds) {
      assertUsable();
      const run = (fetches: Fetches = outputNames) => runs.run(feeds, fetches);
      const results = await (given ? given.run(run) : run());
      const others = outputNames.filter((name) => !held.includes(name));
      const tensors = await Promise.all(others.map(async (name) => [name, await fromOrtTensor(results[name]!)]));
      return {
        results: Object.fromEntries(tensors),
        held: Object.fromEntries(
          held.map((name) => {
            const tensor = results[name]!;
            return [name, new HeldOrtTensor(tensor, () => given?.giveBack(name, tensor))];
          }),
        ),
      };
    },
    async release() {
      if (released) return;
      released = true;
      await oneAtATime(() => session.release());
      await onRelease?.();
    },
  };
}

/** Names of the outputs wanted, or tensors to compute them into. */
type Fetches = readonly string[] | Readonly<Record<string, OrtTensor | null>>;

/** Runs of one session: feeds checked and converted, failures in our words. */
class OrtRuns {
  readonly #session: InferenceSession;
  readonly #host: SessionHost;
  readonly #dtypes: ReadonlyMap<string, string | false>;

  constructor(session: InferenceSession, host: SessionHost) {
    this.#session = session;
    this.#host = host;
    this.#dtypes = new Map(
      session.inputMetadata.map((metadata) => [metadata.name, metadata.isTensor && metadata.type]),
    );
  }

  async run(
    feeds: Readonly<Record<string, Tensor | HeldTensor>>,
    fetches: Fetches,
  ): Promise<InferenceSession.OnnxValueMapType> {
    assertFeeds(feeds, this.#dtypes);
    const converted = Object.entries(feeds).map(([name, tensor]) => [name, this.#toOrt(tensor)]);
    try {
      return await this.#host.oneAtATime(() =>
        // Names and tensors are overloads of one function.
        this.#session.run(Object.fromEntries(converted), fetches as readonly string[], { logSeverityLevel: QUIET }),
      );
    } catch (error) {
      if (isRefusalToConvert(error)) throw error;
      throw toRuntimeFailure("run", error);
    }
  }

  #toOrt(tensor: Tensor | HeldTensor): OrtTensor {
    if (tensor instanceof HeldOrtTensor) return tensor.ortTensor;
    if (tensor instanceof Tensor) return toOrtTensor(tensor, this.#host.OrtTensorClass);
    throw new RuntimeFailure("run: held tensors must come from sessions of the same runtime, got one of another.");
  }
}

function assertTransferable(metadata: InferenceSession.ValueMetadata, role: "input" | "output"): void {
  if (metadata.isTensor && isTransferable(metadata.type)) return;
  throw new UnsupportedError(
    `runtime: model ${role} "${metadata.name}" must be a tensor of 8 bits or more per element, ` +
      `got ${metadata.isTensor ? metadata.type : "a sequence, map or optional"}. Convert it inside the model.`,
  );
}

function assertFeeds(
  feeds: Readonly<Record<string, Tensor | HeldTensor>>,
  dtypes: ReadonlyMap<string, string | false>,
): void {
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
