/** TensorBoard's events, encoded as Protocol Buffers in TFRecords. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { Scalar } from "../../../report/index.ts";
import {
  EventSchema,
  SessionLog_SessionStatus,
  SessionLogSchema,
  Summary_ValueSchema,
  SummarySchema,
} from "./generated/event_pb.ts";
import { tfRecord } from "./tf-record.ts";

/** When an event happened. */
interface EventMoment {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly step: number;
}

/** Returns the record that an event file begins with. */
export function versionRecord(time: number): Uint8Array {
  return eventRecord({ time, step: 0 }, { case: "fileVersion", value: "brain.Event:2" });
}

/** Returns the record that makes readers forget what was written before at this step and later. */
export function sessionStartRecord(moment: EventMoment): Uint8Array {
  const value = create(SessionLogSchema, { status: SessionLog_SessionStatus.START });
  return eventRecord(moment, { case: "sessionLog", value });
}

/** Returns the record of some scalars of one moment. They are stored as float32. */
export function scalarsRecord(moment: EventMoment, scalars: readonly Scalar[]): Uint8Array {
  const values = scalars.map(({ tag, value }) =>
    create(Summary_ValueSchema, { tag, value: { case: "simpleValue", value: Math.fround(value) } }),
  );
  return eventRecord(moment, { case: "summary", value: create(SummarySchema, { value: values }) });
}

type What = Exclude<ReturnType<typeof create<typeof EventSchema>>["what"], { case: undefined }>;

function eventRecord({ time, step }: EventMoment, what: What): Uint8Array {
  return tfRecord(toBinary(EventSchema, create(EventSchema, { wallTime: time / 1000, step: BigInt(step), what })));
}
