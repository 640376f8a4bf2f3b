/** The worker's end: sessions that are created and run here on request. */
import { ModicumError } from "../errors.ts";
import type { HeldTensor, Runtime, Session } from "./session.ts";
import {
  type Answer,
  type Answers,
  fromSent,
  mapValues,
  memoryOf,
  type NumberedRequest,
  type Request,
  type SentFailure,
  type SentHeldTensor,
  type SentTensor,
  toSent,
  type WorkerChannel,
} from "./worker-messages.ts";

/**
 * Runs models for the other end of the channel, which calls `connectRuntime`. Sends what failed if the runtime could not be
 * made.
 *
 * @example
 * // In a page's worker:
 * serveRuntime(workerChannel(self), webRuntime({ device: "webgpu" }));
 */
export function serveRuntime(channel: WorkerChannel, runtime: Promise<Runtime>): void {
  const server = new RuntimeServer(runtime);
  channel.receive((message) => {
    const { id, request } = message as NumberedRequest;
    server.answer(request).then(
      ({ value, transfer }) => channel.send({ kind: "answer", id, value } satisfies Answer, transfer),
      (error) => channel.send({ kind: "failure", id, failure: toFailure(error) } satisfies Answer),
    );
  });
  runtime.then(
    ({ device, description }) => channel.send({ kind: "ready", device, description } satisfies Answer),
    (error) => channel.send({ kind: "not-ready", failure: toFailure(error) } satisfies Answer),
  );
}

interface Reply {
  readonly value: Answers[keyof Answers];
  readonly transfer?: readonly ArrayBuffer[];
}

class RuntimeServer {
  readonly #runtime: Promise<Runtime>;
  readonly #sessions = new Map<number, Session>();
  readonly #held = new Map<number, HeldTensor>();
  #made = 0;

  constructor(runtime: Promise<Runtime>) {
    this.#runtime = runtime;
  }

  async answer(request: Request): Promise<Reply> {
    switch (request.kind) {
      case "create":
        return { value: await this.#create(request) };
      case "run": {
        const results = await this.#session(request.session).run(mapValues(request.feeds, fromSent), request.fetches);
        return this.#results(mapValues(results, toSent), (value) => value);
      }
      case "runHolding": {
        const feeds = mapValues(request.feeds, (sent) => ("held" in sent ? this.#find(sent.held) : fromSent(sent)));
        const { results, held } = await this.#session(request.session).runHolding(feeds);
        const kept = mapValues(held, (tensor) => this.#keep(tensor));
        return this.#results(mapValues(results, toSent), (value) => ({ results: value, held: kept }));
      }
      case "read": {
        // A copy already: it may go along.
        const sent = toSent(await this.#find(request.held).read());
        return { value: sent, transfer: memoryOf([sent]) };
      }
      case "free":
        this.#find(request.held).release();
        this.#held.delete(request.held);
        return { value: undefined };
      case "release":
        await this.#session(request.session).release();
        this.#sessions.delete(request.session);
        return { value: undefined };
    }
  }

  async #create({ model, options }: Request & { kind: "create" }): Promise<Answers["create"]> {
    const external = model.external.map(({ chunks, ...file }) => ({ ...file, chunks: () => chunks }));
    const session = await (await this.#runtime).createSession({ bytes: model.bytes, external }, options);
    const number = this.#made++;
    this.#sessions.set(number, session);
    return { session: number, inputNames: session.inputNames, outputNames: session.outputNames };
  }

  #results(
    results: Readonly<Record<string, SentTensor>>,
    answer: (results: Readonly<Record<string, SentTensor>>) => Answers["run"] | Answers["runHolding"],
  ): Reply {
    return { value: answer(results), transfer: memoryOf(Object.values(results)) };
  }

  #keep(tensor: HeldTensor): SentHeldTensor {
    const held = this.#made++;
    this.#held.set(held, tensor);
    return { held, dtype: tensor.dtype, shape: tensor.shape };
  }

  #session(number: number): Session {
    const session = this.#sessions.get(number);
    if (!session) throw new Error(`internal: no session ${number} in this worker`);
    return session;
  }

  #find(number: number): HeldTensor {
    const tensor = this.#held.get(number);
    if (!tensor) throw new Error(`internal: no held tensor ${number} in this worker`);
    return tensor;
  }
}

function toFailure(error: unknown): SentFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof ModicumError ? error.code : undefined, message };
}
