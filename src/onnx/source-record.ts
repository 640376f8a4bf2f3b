/** Carrying a file's own records through a program, so that what has no meaning here is written back as it came. */
import { create, type DescMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import type { Extras } from "../program/index.ts";
import { type StringStringEntryProto, StringStringEntryProtoSchema } from "./generated/onnx_pb.ts";

/** Messages that carry documentation or metadata. */
interface Documented {
  docString?: string;
  metadataProps?: StringStringEntryProto[];
}

/** Returns the extras of a part of a program, from the file's record of it; the record must hold nothing the program holds. */
export function extrasOf(record: Message & Documented): Extras {
  const extras: { docString?: string; metadata?: ReadonlyMap<string, string>; source: unknown } = { source: record };
  if (record.docString) extras.docString = record.docString;
  if (record.metadataProps?.length) extras.metadata = metadataOf(record.metadataProps);
  return extras;
}

/** Returns a new record to be filled in: a copy of the file's own, where there is one, with the documentation of `extras`. */
export function recordOf<Desc extends DescMessage>(schema: Desc, extras: Extras | undefined): MessageShape<Desc> {
  const record = copyOf(schema, isRecord(schema, extras?.source) ? extras.source : undefined);
  if (extras) document(record as Documented, extras);
  return record;
}

/** Returns a shallow copy of a message, or an empty message. */
export function copyOf<Desc extends DescMessage>(
  schema: Desc,
  original: MessageShape<Desc> | undefined,
): MessageShape<Desc> {
  return Object.assign(create(schema), original);
}

/** Returns whether something opaque is a message of the given kind. */
export function isRecord<Desc extends DescMessage>(schema: Desc, source: unknown): source is MessageShape<Desc> {
  return (source as Message | undefined)?.$typeName === schema.typeName;
}

/** Returns key/value pairs as a map. */
export function metadataOf(entries: readonly StringStringEntryProto[]): Map<string, string> {
  return new Map(entries.map(({ key, value }) => [key, value]));
}

/** Returns a map as key/value pairs. */
export function entriesOf(metadata: Iterable<readonly [string, string]>): StringStringEntryProto[] {
  return Array.from(metadata, ([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
}

function document(record: Documented, extras: Extras): void {
  const { docString = "", metadata = new Map<string, string>() } = extras;
  if (docString !== (record.docString ?? "")) record.docString = docString;
  const recorded = metadataOf(record.metadataProps ?? []);
  const same = recorded.size === metadata.size && [...metadata].every(([key, value]) => recorded.get(key) === value);
  if (!same) record.metadataProps = entriesOf(metadata);
}
