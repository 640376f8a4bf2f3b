/** The line between a page and its worker. */
import type { WorkerChannel } from "./worker-messages.ts";

/** What workers and their global scope have in common. */
export interface MessageTarget {
  postMessage(message: unknown, options: { transfer: ArrayBuffer[] }): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/**
 * Makes a channel for `connectRuntime` from a browser's Worker, or for `serveRuntime` from `self` inside one.
 *
 * @example
 * serveRuntime(workerChannel(self), webRuntime());
 */
export function workerChannel(target: MessageTarget): WorkerChannel {
  return {
    send: (message, transfer = []) => target.postMessage(message, { transfer: [...transfer] }),
    receive: (listener) => target.addEventListener("message", ({ data }) => listener(data)),
  };
}
