/** What a page or main thread and the worker that runs its models say to each other. */
import type { TensorData } from "../tensor/index.ts";
import { type DType, Tensor } from "../tensor/index.ts";
import type { Device, SessionOptions } from "./session.ts";

/** The two ends of a line to a worker: Node's and the browser's differ only in how messages are heard. */
export interface WorkerChannel {
  /** Sends a message; the memory of `transfer` goes along instead of being copied. */
  send(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Calls the listener with every message from now on. */
  receive(listener: (message: unknown) => void): void;
}

/** A tensor in a message. */
export interface SentTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A tensor that stays in the worker, by its number there. */
export interface SentHeldTensor {
  readonly held: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A model in a message: weight files whole. */
export interface SentModel {
  readonly bytes: Uint8Array;
  readonly external: readonly {
    readonly location: string;
    readonly sizeBytes: number;
    readonly chunks: readonly Uint8Array[];
  }[];
}

/** What is asked of the worker. */
export type Request =
  | { readonly kind: "create"; readonly model: SentModel; readonly options: SessionOptions | undefined }
  | {
      readonly kind: "run";
      readonly session: number;
      readonly feeds: Readonly<Record<string, SentTensor>>;
      readonly fetches: readonly string[] | undefined;
    }
  | {
      readonly kind: "runHolding";
      readonly session: number;
      readonly feeds: Readonly<Record<string, SentTensor | SentHeldTensor>>;
    }
  | { readonly kind: "release"; readonly session: number }
  | { readonly kind: "read"; readonly held: number }
  | { readonly kind: "free"; readonly held: number };

/** What the worker answers to each kind of request. */
export interface Answers {
  readonly create: {
    readonly session: number;
    readonly inputNames: readonly string[];
    readonly outputNames: readonly string[];
  };
  readonly run: Readonly<Record<string, SentTensor>>;
  readonly runHolding: {
    readonly results: Readonly<Record<string, SentTensor>>;
    readonly held: Readonly<Record<string, SentHeldTensor>>;
  };
  readonly release: undefined;
  readonly read: SentTensor;
  readonly free: undefined;
}

/** A failure in a message: error classes do not survive the way. */
export interface SentFailure {
  readonly code: string | undefined;
  readonly message: string;
}

/** The worker's first message, when its engine is ready (or is not), and its answers. */
export type Answer =
  | { readonly kind: "ready"; readonly device: Device; readonly description: string }
  | { readonly kind: "not-ready"; readonly failure: SentFailure }
  | { readonly kind: "answer"; readonly id: number; readonly value: Answers[keyof Answers] }
  | { readonly kind: "failure"; readonly id: number; readonly failure: SentFailure };

/** A request with the number that its answer bears. */
export interface NumberedRequest {
  readonly id: number;
  readonly request: Request;
}

/** Returns the plain record of a tensor. */
export function toSent({ dtype, shape, data }: Tensor): SentTensor {
  return { dtype, shape, data };
}

/** Returns the tensor of a plain record. */
export function fromSent({ dtype, shape, data }: SentTensor): Tensor {
  return new Tensor(dtype, shape, data);
}

/** Returns the memory that may go along with tensors nobody else uses. */
export function memoryOf(tensors: readonly SentTensor[]): ArrayBuffer[] {
  const buffers = tensors.flatMap(({ data }) =>
    !Array.isArray(data) && data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength
      ? [data.buffer]
      : [],
  );
  return [...new Set(buffers)];
}

/** Returns the record with every value changed. */
export function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
