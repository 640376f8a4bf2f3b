/** The contract of an operator: what Modicum knows about one ONNX operator. One family of operators per file. */
import type { Dimension, Graph, Node, Shape } from "../program/index.ts";
import type { DType } from "../tensor/index.ts";

/** What is known about a value before anything runs. Whatever is absent or null is unknown. */
export interface Fact {
  readonly dtype?: DType | undefined;
  /** Absent when even the rank is unknown. */
  readonly shape?: Shape | undefined;
  /**
   * The value's numbers in row-major order (booleans as 0 and 1), kept for small tensors that follow from constants and
   * shapes alone. An entry may be a symbol, or null when it is unknown.
   */
  readonly elements?: readonly Dimension[] | undefined;
  /** For a sequence or an optional: what is known about what it holds. */
  readonly items?: Fact | undefined;
}

/** What a rule may look at besides the node itself. */
export interface InferenceContext {
  /** Version of the operator set the node comes from. */
  readonly opset: number;
  /** Returns what is known about the node's input at `index`; nothing when the input is absent. */
  input(index: number): Fact;
  /** Infers a sub-graph from what is known about its inputs, and returns what is known about its outputs. */
  graph(graph: Graph, inputs: readonly Fact[]): readonly Fact[];
}

/** Counts the multiply-accumulates of one run of a sub-graph; undefined when they are unknown. */
export type GraphMacs = (graph: Graph) => number | undefined;

/** What Modicum knows about an operator. */
export interface Operator {
  readonly name: string;
  /** "" is ONNX's own domain. */
  readonly domain: string;
  /** First operator set version whose nodes the rule understands. */
  readonly since: number;
  /**
   * Returns what follows about each output; an absent or shorter result means nothing is known.
   *
   * @throws ShapeError, DTypeError when the inputs contradict each other.
   */
  readonly infer: (node: Node, context: InferenceContext) => readonly (Fact | undefined)[];
  /**
   * Returns the multiply-accumulates of one run, from the shapes on the node's values; undefined when one is unknown.
   * Absent for operators that multiply nothing worth counting (elementwise, data movement, normalization).
   */
  readonly macs?: (node: Node, graphMacs: GraphMacs) => number | undefined;
}

/** Domain of ONNX Runtime's own operators. */
export const MICROSOFT = "com.microsoft";

/** Makes one operator record per name, all in ONNX's own domain and with the same rules. */
export function family(
  names: readonly string[],
  rules: Pick<Operator, "infer" | "macs"> & Partial<Pick<Operator, "domain" | "since">>,
): readonly Operator[] {
  return names.map((name) => ({ name, domain: "", since: 1, ...rules }));
}
