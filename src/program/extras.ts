/** What a file says about a part of a program beyond its meaning; carried along so that reading and writing lose nothing. */

/** Documentation, metadata and the file's own record of a model, graph, node, value or attribute. */
export interface Extras {
  readonly docString?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  /**
   * The file's own record of this part, without what the program holds itself: fields that have no meaning here (training
   * info, device configurations, ...), unknown fields, and which fields were present. Written back; opaque outside onnx/.
   */
  readonly source?: unknown;
}
