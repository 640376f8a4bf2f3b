/** What runs in the worker thread that `nodeRuntime({ worker: true })` starts. */
import { parentPort, workerData } from "node:worker_threads";
import { type NodeRuntimeOptions, nodeRuntime } from "./node.ts";
import { serveRuntime } from "./serve-runtime.ts";

const port = parentPort!;

serveRuntime(
  {
    send: (message, transfer = []) => port.postMessage(message, transfer),
    receive: (listener) => port.on("message", listener),
  },
  nodeRuntime(workerData as NodeRuntimeOptions),
);
