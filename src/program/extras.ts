/** What a file says about a part of a program beyond its meaning; carried along so that reading and writing lose nothing. */

/** A protobuf field this version does not know, exactly as it was read. */
export interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

/** Documentation, metadata and unknown fields of a model, graph, node, value or tensor. */
export interface Extras {
  readonly docString?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Fields that are known to the format but without meaning here (training info, device configurations, ...), by name. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly unknown?: readonly UnknownField[];
}
