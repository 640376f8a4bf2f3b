/** Reading ONNX models. */
import { fromBinary } from "@bufbuild/protobuf";
import { ModelFormatError, UnsupportedError } from "../errors.ts";
import { Program } from "../program/index.ts";
import { describeContent } from "./describe-content.ts";
import type { ExternalDataSource } from "./external-data.ts";
import { type ModelProto, ModelProtoSchema } from "./generated/onnx_pb.ts";
import type { ModelRecord } from "./graph-record.ts";
import { readGraph } from "./read-graph.ts";
import { plainDomain } from "./read-node.ts";
import { extrasOf } from "./source-record.ts";

/** The newest version of ONNX's operator set that ONNX Runtime 1.30 runs. */
export const NEWEST_OPSET = 26;

/** The newest version of the file format that ONNX Runtime 1.30 reads; operator set 26 came with it. */
const NEWEST_IR_VERSION = 13;

/** How to read a model. */
export interface ReadOptions {
  /** Where weights outside the message are; needed for models that have them. */
  readonly external?: ExternalDataSource;
  /** What messages call the model, for example its path. Default "model". */
  readonly where?: string;
}

/**
 * Reads an ONNX model. Its weights are views of `bytes` and of external files, decoded when loaded: keep `bytes` unchanged
 * as long as the program is in use.
 *
 * @throws ModelFormatError if the bytes are not a valid ONNX model, or its external data are missing.
 * @throws UnsupportedError if it needs an operator set newer than ONNX Runtime runs.
 * @example
 * const program = readModel(await readFile("model.onnx"), { where: "model.onnx" });
 */
export function readModel(bytes: Uint8Array, { external, where = "model" }: ReadOptions = {}): Program {
  const proto = decode(bytes, where);
  if (!proto.graph) throw notOnnx(bytes, where, "it has no graph");
  const opsets = readOpsets(proto, where);
  assertIrVersion(proto.irVersion, where);
  const graph = readGraph(proto.graph, { external, where });
  const program = new Program(graph, opsets, Number(proto.irVersion));
  program.producerName = proto.producerName;
  program.producerVersion = proto.producerVersion;
  program.domain = proto.domain;
  program.modelVersion = proto.modelVersion;
  program.functions = proto.functions.map((source) => ({
    name: source.name,
    domain: plainDomain(source.domain),
    overload: source.overload,
    source,
  }));
  assertOperatorSet(program, where);
  delete proto.graph;
  proto.functions = [];
  program.extras = { ...extrasOf(proto), source: { proto, external } satisfies ModelRecord };
  return program;
}

function decode(bytes: Uint8Array, where: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason.includes("recursion")) {
      throw new UnsupportedError(`${where}: graphs, types and attributes must be nested less than 100 deep, got more.`);
    }
    throw notOnnx(bytes, where, reason, error);
  }
}

function notOnnx(bytes: Uint8Array, where: string, reason: string, cause?: unknown): ModelFormatError {
  const content = describeContent(bytes);
  return new ModelFormatError(
    content
      ? `${where}: the file must be an ONNX model, got ${content}.`
      : `${where}: the file must be a whole ONNX model, got ${bytes.byteLength} bytes that cannot be read as one (${reason}). ` +
          `It may be truncated or damaged.`,
    { cause },
  );
}

function readOpsets(proto: ModelProto, where: string): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const entry of proto.opsetImport) {
    const [domain, version] = [plainDomain(entry.domain), Number(entry.version)];
    const known = opsets.get(domain) ?? version;
    if (version < 1 || version !== known) {
      throw new ModelFormatError(
        `${where}: each operator set must be imported in one version, 1 or more, got "${domain}" in ${known} and ${version}.`,
      );
    }
    opsets.set(domain, version);
  }
  // Files of the first format versions name no operator set and mean the first.
  if (opsets.size === 0 && proto.irVersion < 3n) opsets.set("", 1);
  const version = opsets.get("") ?? 1;
  if (version > NEWEST_OPSET) {
    throw new UnsupportedError(
      `${where}: ONNX operator set must be at most ${NEWEST_OPSET}, the newest that ONNX Runtime 1.30 runs, got ${version}. ` +
        `Export the model again with an opset version of ${NEWEST_OPSET} or less (21 suits best).`,
    );
  }
  return opsets;
}

function assertIrVersion(version: bigint, where: string): void {
  if (version < 1n) {
    throw new ModelFormatError(`${where}: an ONNX model must say its format version (ir_version), got ${version}.`);
  }
  if (version > NEWEST_IR_VERSION) {
    throw new UnsupportedError(
      `${where}: the format version (ir_version) must be at most ${NEWEST_IR_VERSION}, the newest that ONNX Runtime 1.30 reads, ` +
        `got ${version}. Export the model again with an older version of ONNX, or a smaller opset version.`,
    );
  }
}

function assertOperatorSet(program: Program, where: string): void {
  if (program.opsets.has("")) return;
  for (const node of program.allNodes()) {
    if (node.domain !== "") continue;
    throw new ModelFormatError(
      `${where}: the model must say which ONNX operator set it uses (opset_import), got none, but has ${node.label}.`,
    );
  }
}
