/**
 * An output that onnxruntime-node cannot hand over: how a run leaves its results in given memory without copies of them.
 *
 * onnxruntime-node 1.30 computes into tensors that are passed as fetches, and then copies every output, in order, into new
 * memory: for a step with 47 MB of variables that is a third of its time. Where the first output is of a type that
 * JavaScript has no class for, the run ends with an error before the first copy, and with everything computed.
 */
import type { ModelFile } from "../onnx/index.ts";

/** Name of the output. */
export const UNCONVERTIBLE = "modicum.unconvertible";

/** What the package says of it; a run that fails by itself says something else. */
const REFUSAL = "Non tensor type is temporarily not supported";

/** Returns the model with an empty sequence as its first output. Needs opset 11. */
export function withUnconvertibleOutput(model: ModelFile): ModelFile {
  // Joined messages of protobuf are one message whose lists are joined (protobuf.dev, "Last One Wins"): nothing is parsed.
  const bytes = new Uint8Array(PREFIX.length + model.bytes.length);
  bytes.set(PREFIX);
  bytes.set(model.bytes, PREFIX.length);
  return { ...model, bytes };
}

/** Whether a run failed only because the output could not be handed over. */
export function isRefusalToConvert(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(REFUSAL);
}

/** Returns a protobuf field that holds bytes, a text or a message. Numbers of fields: onnx.proto. */
function field(number: number, content: string | readonly number[]): number[] {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content;
  if (bytes.length > 127) throw new Error("internal: lengths above 127 take more than one byte.");
  return [(number << 3) | 2, bytes.length, ...bytes];
}

const FLOAT_ELEMENTS = [1 << 3, 1];
const SEQUENCE_OF_TENSORS = field(4, field(1, field(1, FLOAT_ELEMENTS)));
const NODE = [...field(2, UNCONVERTIBLE), ...field(4, "SequenceEmpty")];
const OUTPUT = [...field(1, UNCONVERTIBLE), ...field(2, SEQUENCE_OF_TENSORS)];
/** A model whose graph has just this node and output. */
const PREFIX = Uint8Array.from(field(7, [...field(1, NODE), ...field(12, OUTPUT)]));
