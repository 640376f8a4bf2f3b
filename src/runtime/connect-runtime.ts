/** The caller's end of a runtime in a worker: the same contract, every call a message. */
import { DTypeError, FileError, ModelFormatError, OptionError, RuntimeFailure, UnsupportedError } from "../errors.ts";
import type { ModelFile } from "../onnx/index.ts";
import type { DType } from "../tensor/index.ts";
import { Tensor } from "../tensor/index.ts";
import type { HeldTensor, Runtime, Session, SessionOptions } from "./session.ts";
import {
  type Answer,
  type Answers,
  fromSent,
  mapValues,
  type Request,
  type SentFailure,
  type SentHeldTensor,
  type SentModel,
  type SentTensor,
  toSent,
  type WorkerChannel,
} from "./worker-messages.ts";

/** What the caller knows of its worker beyond messages. */
export interface WorkerEvents {
  /** Called with true when answers begin to be waited for, and with false when none is. */
  readonly onWaiting?: (waiting: boolean) => void;
  /** Resolves with the reason when the worker is gone. */
  readonly gone?: Promise<string>;
}

/**
 * Makes a runtime whose sessions live in a worker that calls `serveRuntime`: the caller's event loop stays free while models
 * run. Feeds are copied into the worker, results come back without a copy, held tensors stay there.
 *
 * @throws RuntimeFailure (and whatever the worker's own runtime throws) if the engine does not start there.
 * @example
 * const worker = new Worker(new URL("./my-worker.js", import.meta.url), { type: "module" });
 * const runtime = await connectRuntime(workerChannel(worker));
 */
export async function connectRuntime(channel: WorkerChannel, events: WorkerEvents = {}): Promise<Runtime> {
  const line = new Line(channel, events);
  const { device, description } = await line.ready;
  return {
    device,
    description,
    createSession: (model, options) => createSession(line, model, options),
  };
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests on their way, each with who waits for its answer. */
class Line {
  readonly ready: Promise<Answer & { kind: "ready" }>;
  readonly #channel: WorkerChannel;
  readonly #events: WorkerEvents;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #gone: string | undefined;

  constructor(channel: WorkerChannel, events: WorkerEvents) {
    this.#channel = channel;
    this.#events = events;
    this.ready = this.#wait(-1);
    channel.receive((message) => this.#hear(message as Answer));
    void events.gone?.then((reason) => this.#fail(reason));
  }

  /** Sends a request and waits for its answer. */
  ask<Kind extends Request["kind"]>(request: Request & { kind: Kind }): Promise<Answers[Kind]> {
    if (this.#gone !== undefined) return Promise.reject(lost(this.#gone));
    const id = this.#asked++;
    const answer = this.#wait<Answers[Kind]>(id);
    try {
      this.#channel.send({ id, request });
    } catch (cause) {
      this.#settle(id)?.reject(new RuntimeFailure(`worker: a request must be sendable, got: ${cause}`, { cause }));
    }
    return answer;
  }

  #wait<Value>(id: number): Promise<Value> {
    if (this.#waiting.size === 0) this.#events.onWaiting?.(true);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting && this.#waiting.size === 0) this.#events.onWaiting?.(false);
    return waiting;
  }

  #hear(answer: Answer): void {
    if (answer.kind === "ready") this.#settle(-1)?.resolve(answer as never);
    else if (answer.kind === "not-ready") this.#settle(-1)?.reject(toError(answer.failure));
    else if (answer.kind === "answer") this.#settle(answer.id)?.resolve(answer.value as never);
    else this.#settle(answer.id)?.reject(toError(answer.failure));
  }

  #fail(reason: string): void {
    this.#gone ??= reason;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(lost(this.#gone));
  }
}

function lost(reason: string): RuntimeFailure {
  return new RuntimeFailure(`worker: must stay alive while it is used, got: ${reason}.`);
}

async function createSession(line: Line, model: ModelFile, options: SessionOptions | undefined): Promise<Session> {
  const { session, inputNames, outputNames } = await line.ask({ kind: "create", model: toSentModel(model), options });
  let released = false;
  const assertUsable = (): void => {
    if (released) throw new RuntimeFailure("session: must not be released before it runs. Release it last.");
  };
  return {
    inputNames,
    outputNames,
    async run(feeds, fetches) {
      assertUsable();
      return mapValues(await line.ask({ kind: "run", session, feeds: mapValues(feeds, toSent), fetches }), fromSent);
    },
    async runHolding(feeds) {
      assertUsable();
      const sent = mapValues(feeds, (tensor) => toSentFeed(tensor, line));
      const { results, held } = await line.ask({ kind: "runHolding", session, feeds: sent });
      return {
        results: mapValues(results, fromSent),
        held: mapValues(held, (tensor) => new HeldInWorker(line, tensor)),
      };
    },
    async release() {
      if (released) return;
      released = true;
      await line.ask({ kind: "release", session });
    },
  };
}

class HeldInWorker implements HeldTensor {
  readonly line: Line;
  readonly sent: SentHeldTensor;

  constructor(line: Line, sent: SentHeldTensor) {
    this.line = line;
    this.sent = sent;
  }

  get dtype(): DType {
    return this.sent.dtype;
  }

  get shape(): readonly number[] {
    return this.sent.shape;
  }

  async read(): Promise<Tensor> {
    return fromSent(await this.line.ask({ kind: "read", held: this.sent.held }));
  }

  release(): void {
    // Nobody waits for it; a worker that is gone has freed it already.
    this.line.ask({ kind: "free", held: this.sent.held }).catch(() => {});
  }
}

function toSentFeed(tensor: Tensor | HeldTensor, line: Line): SentTensor | SentHeldTensor {
  if (tensor instanceof Tensor) return toSent(tensor);
  if (tensor instanceof HeldInWorker && tensor.line === line) return tensor.sent;
  throw new RuntimeFailure("run: held tensors must come from sessions of the same runtime, got one of another.");
}

function toSentModel({ bytes, external }: ModelFile): SentModel {
  return {
    bytes,
    // Chunks may be views of one piece of memory that is written anew for each: copied one by one.
    external: external.map((file) => ({
      location: file.location,
      sizeBytes: file.sizeBytes,
      chunks: Array.from(file.chunks(), (chunk) => chunk.slice()),
    })),
  };
}

const ERROR_CLASSES = [RuntimeFailure, UnsupportedError, OptionError, DTypeError, FileError, ModelFormatError];

/** The failure as the class it was, as far as its code tells. */
function toError({ code, message }: SentFailure): Error {
  const found = ERROR_CLASSES.map((make) => new make(message)).find((error) => error.code === code);
  return found ?? new Error(message);
}
