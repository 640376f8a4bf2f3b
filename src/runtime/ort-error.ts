/** ONNX Runtime's failures in our words: one line, with the node at fault. */
import { RuntimeFailure, UnsupportedError } from "../errors.ts";
import { dtypeFromCode } from "../tensor/index.ts";

/** Longest text of ONNX Runtime's that is passed on; the whole of it is in `cause`. */
const MAX_LENGTH = 400;

/** How ONNX Runtime names a node, in its several places. */
const NODE_PATTERNS: readonly RegExp[] = [
  /running (?<operator>\S+) node\. Name:\s*'(?<name>[^']*)'/,
  /Node:?\s*\((?<name>[^)]*)\) Op\s*\((?<operator>[^)]*)\)/i,
  /In Node, \("(?<name>[^"]*)", (?<operator>\w+)/,
  /implementation for (?<operator>\w+)\(\d+\) node with name '(?<name>[^']*)'/,
];

/** How ONNX Runtime, WebAssembly and JavaScript say that memory is used up. */
const OUT_OF_MEMORY =
  /failed to allocate memory(?: for requested buffer of size (?<bytes>\d+))?|bad_alloc|bad allocation|out of memory|\(OOM\)|could not allocate memory|array buffer allocation failed/i;

/**
 * Returns what ONNX Runtime threw as a RuntimeFailure: without source paths and stack traces, with the node's name first
 * where the text has one.
 *
 * @param where What was being done, such as `run`.
 */
export function toRuntimeFailure(where: string, cause: unknown): RuntimeFailure {
  const text = (cause instanceof Error ? cause.message : String(cause)) || "an error without a message";
  const node = NODE_PATTERNS.map((pattern) => pattern.exec(text)?.groups).find((groups) => groups !== undefined);
  const place = node ? `${node.operator} node "${node.name}"` : "the model";
  const memory = OUT_OF_MEMORY.exec(text);
  if (memory) {
    const bytes = memory.groups?.bytes;
    const size = bytes === undefined ? "what it asked for" : `${(Number(bytes) / 2 ** 20).toFixed(1)} MiB more`;
    return new RuntimeFailure(
      `${where}: memory must hold ${place}, got too little for ${size}. Use smaller batches, chunks in training, or a smaller model.`,
      { cause },
    );
  }
  return new RuntimeFailure(`${where}: ONNX Runtime must accept ${place}, got: ${shortened(text)}`, { cause });
}

/** Returns what ONNX Runtime threw while loading a model: UnsupportedError for an input or output type it cannot hand over. */
export function toLoadFailure(cause: unknown): RuntimeFailure | UnsupportedError {
  const code = /^unsupported data type: (\d+)$/i.exec(cause instanceof Error ? cause.message : "")?.[1];
  if (code === undefined) return toRuntimeFailure("createSession", cause);
  return new UnsupportedError(
    `createSession: model inputs and outputs must be of a type JavaScript has, got ${dtypeFromCode(Number(code)) ?? `type ${code}`}. ` +
      "Cast it inside the model.",
    { cause },
  );
}

function shortened(text: string): string {
  const plain = text
    .replace(/^.*?(?:Status Message|ERROR_MESSAGE):\s*/s, "")
    .replace(/\S*\/onnxruntime\/\S+:\d+\s+(?:[^\n]*?\bwas false\.\s*)?/g, "")
    .replace(/Stacktrace:.*$/s, "")
    .replace(/\s+/g, " ")
    .trim();
  const line = plain === "" ? text.replace(/\s+/g, " ").trim() : plain;
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)} ...` : line;
}
