/** What a program keeps of a file's graph and model records. */
import type { ExternalDataSource } from "./external-data.ts";
import type { GraphProto, ModelProto, TensorAnnotation, ValueInfoProto } from "./generated/onnx_pb.ts";
import type { Placed } from "./value-record.ts";

/** Entries about names that no value of the graph has; they are written back as they are. */
export interface StrayEntries {
  readonly valueInfo: readonly Placed<ValueInfoProto>[];
  readonly annotations: readonly Placed<TensorAnnotation>[];
}

/** The `source` in a graph's extras. */
export interface GraphRecord {
  /** The file's record without nodes, values and constants. */
  readonly proto: GraphProto;
  readonly stray: StrayEntries;
}

/** The `source` in a program's extras. */
export interface ModelRecord {
  /** The file's record without graph and functions. */
  readonly proto: ModelProto;
  readonly external: ExternalDataSource | undefined;
}
