/** Writing ONNX models. */
import { create, toBinary } from "@bufbuild/protobuf";
import { OptionError } from "../errors.ts";
import type { Program, Value } from "../program/index.ts";
import { assignNames } from "./assign-names.ts";
import { type ExternalPlacement, placeTensors } from "./external-placement.ts";
import {
  type FunctionProto,
  type ModelProto,
  ModelProtoSchema,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
} from "./generated/onnx_pb.ts";
import type { GraphRecord, ModelRecord } from "./graph-record.ts";
import type { ModelFile } from "./model-file.ts";
import { placeConstants } from "./place-constants.ts";
import { plainDomain } from "./read-node.ts";
import { copyOf, recordOf } from "./source-record.ts";
import { writeGraph } from "./write-graph.ts";

/** How to write a model. */
export interface WriteOptions {
  /**
   * Where the weights go. "auto" (default): into the message if it then stays below 2 GiB, else into a file beside it called
   * as the model with `_data` behind. "keep": where the file that was read had them; its weight files are copied whole. Otherwise: all
   * tensors of at least `thresholdBytes` (default 1024) into the file at `location`, relative to the model's folder.
   */
  readonly externalData?: ExternalPlacement;
  /** Name the model's own file will have, without folders; "auto" names the weight file after it. Default "model.onnx". */
  readonly fileName?: string;
  /**
   * Names that say something to the model's users. Values called otherwise get names of one or two letters, which in a model
   * of a few kilobytes saves a tenth of the file; inputs, outputs and nodes keep theirs. Default: all names do.
   */
  readonly tellingNames?: ReadonlySet<string>;
}

/**
 * Writes a program as an ONNX model. Values keep their names where these are unique; the names of the model's inputs and
 * outputs are always kept. Constants that came from a file are written as the file had them. Reading the result gives the
 * same program again; nothing a file says is lost (except that value_info of values that are gone goes too).
 *
 * @throws OptionError if two inputs or outputs share a name, or a node uses a value that the program does not define.
 * @example
 * const { bytes } = writeModel(program);
 */
export function writeModel(program: Program, options: WriteOptions = {}): ModelFile {
  const { externalData = "auto", fileName = "model.onnx", tellingNames: telling } = options;
  const constants = placeConstants(program.graph);
  const record = program.extras?.source as ModelRecord | undefined;
  const names = assignNames(program.graph, { constants, reserved: reservedNames(program), telling });
  const nameOf = (value: Value, user: string): string => {
    const name = names.get(value);
    if (name !== undefined) return name;
    throw new OptionError(
      `writeModel: every value in use must be an input, a constant or some node's output, got "${value.name}" in ${user}.`,
    );
  };
  const tensors = placeTensors(program, externalData, { read: record?.external, fileName });
  const proto = modelRecord(program, record);
  proto.graph = writeGraph(program.graph, constants, { nameOf, writeTensor: tensors.write });
  return { bytes: toBinary(ModelProtoSchema, proto), external: tensors.files() };
}

function modelRecord(program: Program, record: ModelRecord | undefined): ModelProto {
  const proto = recordOf(ModelProtoSchema, program.extras && { ...program.extras, source: record?.proto });
  if (proto.irVersion !== BigInt(program.irVersion)) proto.irVersion = BigInt(program.irVersion);
  if (proto.producerName !== program.producerName) proto.producerName = program.producerName;
  if (proto.producerVersion !== program.producerVersion) proto.producerVersion = program.producerVersion;
  if (proto.domain !== program.domain) proto.domain = program.domain;
  if (proto.modelVersion !== program.modelVersion) proto.modelVersion = program.modelVersion;
  proto.opsetImport = writeOpsets(program, proto.opsetImport);
  proto.functions = program.functions.map(({ source }) => source as FunctionProto);
  return proto;
}

/** The operator sets in the file's order and spelling, where it had them. */
function writeOpsets(program: Program, known: readonly OperatorSetIdProto[]): OperatorSetIdProto[] {
  const wanted = new Map(program.opsets);
  // ONNX Runtime's own operators have one version only.
  if (!wanted.has("com.microsoft") && usesDomain(program, "com.microsoft")) wanted.set("com.microsoft", 1);
  if (known.length === 0 && program.irVersion < 3 && wanted.get("") === 1) wanted.delete("");
  const kept = known.flatMap((entry) => {
    const domain = plainDomain(entry.domain);
    const version = wanted.get(domain);
    wanted.delete(domain);
    if (version === undefined) return [];
    if (BigInt(version) === entry.version) return [entry];
    return [Object.assign(copyOf(OperatorSetIdProtoSchema, entry), { version: BigInt(version) })];
  });
  const added = Array.from(wanted, ([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
  );
  return [...kept, ...added];
}

function usesDomain(program: Program, domain: string): boolean {
  for (const node of program.allNodes()) if (node.domain === domain) return true;
  return false;
}

/** Names the file uses without defining them; no made-up name may become one of them. */
function reservedNames({ graph }: Program): string[] {
  const stray = (graph.extras?.source as GraphRecord | undefined)?.stray;
  return stray ? stray.valueInfo.map(({ record }) => record.name) : [];
}
