/** Writing a graph node by node; shapes and element types are checked and known as soon as a node is written. */
import { constantFact, type Fact, inferNodeFacts, type NodeFacts, type NodeSurroundings } from "../ops/index.ts";
import { constantValue, DEFAULT_OPSET, Graph, type Node, type Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";

/** Equal constants up to this size are one Value. */
const SHARED_CONSTANT_ELEMENTS = 1024;

/**
 * Appends nodes to a graph, and knows what is known about every value in it. Usually used through `Ops`.
 *
 * @example
 * const writer = new GraphWriter();
 * const ops = new Ops(writer);
 */
export class GraphWriter {
  readonly graph: Graph;
  /** Operator set versions that nodes are written in, by domain. */
  readonly opsets: Map<string, number>;
  readonly #facts: WeakMap<Value, Fact>;
  readonly #constants = new Map<string, Value>();
  #made = 0;

  /** Starts a graph, or goes on with one; `opset` is the version of ONNX's own operators. */
  constructor(graph: Graph = new Graph(), opset: number = DEFAULT_OPSET, outer?: GraphWriter) {
    this.graph = graph;
    this.opsets = new Map([
      ["", opset],
      ["com.microsoft", 1],
      ["modicum", 1],
    ]);
    this.#facts = outer ? outer.#facts : new WeakMap();
    // Node names must be unique to the engine: numbers go on after those in use.
    for (const { name } of graph.nodes) this.#made = Math.max(this.#made, Number(/_(\d+)$/.exec(name)?.[1] ?? -1) + 1);
  }

  /** Version of ONNX's own operators that nodes are written in. */
  get opset(): number {
    return this.opsets.get("")!;
  }

  /** Makes sure that nodes of these operator sets may be appended: the newer of the versions holds from now on. */
  raiseOpset(opsets: ReadonlyMap<string, number>): void {
    for (const [domain, version] of opsets) this.opsets.set(domain, Math.max(version, this.opsets.get(domain) ?? 0));
  }

  /** Starts the body of a Loop, Scan or If, in which values of this graph can be used. */
  subgraph(name: string): GraphWriter {
    return new GraphWriter(new Graph(name), this.opset, this);
  }

  /**
   * Appends a node whose inputs are known, and sets its outputs' element types and shapes.
   *
   * @throws ShapeError, DTypeError if the inputs do not fit; the message names the node.
   */
  append(node: Node): void {
    const { outputs } = this.#infer(node);
    node.outputs.forEach((value, index) => {
      if (value) this.#learn(value, outputs[index] ?? {});
    });
    this.graph.nodes.push(node);
  }

  /** Returns what would be known about a node's first output if it were appended. */
  inferOutput(node: Node): Fact {
    return this.#infer(node).outputs[0] ?? {};
  }

  #infer(node: Node): NodeFacts {
    const surroundings: NodeSurroundings = {
      opsets: this.opsets,
      factOf: (value) => this.factOf(value),
      inferGraph: (graph, inputs) => this.#inferGraph(graph, inputs),
    };
    return inferNodeFacts(node, surroundings, ({ dtype, shape }) => ({ dtype, shape }));
  }

  /** Returns what is known about a value: type, shape, and the numbers of small tensors that shapes are computed from. */
  factOf(value: Value): Fact {
    const known = this.#facts.get(value);
    if (known) return known;
    const fact = value.constant ? constantFact(value.constant) : { dtype: value.dtype, shape: value.shape };
    this.#facts.set(value, fact);
    return fact;
  }

  /** Returns a constant; equal small ones are one Value. */
  constant(tensor: Tensor, name = "constant"): Value {
    if (tensor.size > SHARED_CONSTANT_ELEMENTS || Array.isArray(tensor.data)) return constantValue(name, tensor);
    // Object.is tells 0 from -0, text does not.
    const numbers = Array.from(tensor.data as ArrayLike<number | bigint>, (number) =>
      Object.is(number, -0) ? "-0" : String(number),
    );
    const key = `${tensor.dtype}[${tensor.shape.join()}]${numbers.join()}`;
    const shared = this.#constants.get(key) ?? constantValue(name, tensor);
    this.#constants.set(key, shared);
    return shared;
  }

  /** Returns a number that no other call got, for names. */
  nextNumber(): number {
    return this.#made++;
  }

  #learn(value: Value, fact: Fact): void {
    this.#facts.set(value, fact);
    value.dtype = fact.dtype;
    value.shape = fact.shape;
  }

  #inferGraph(graph: Graph, inputs: readonly Fact[]): readonly Fact[] {
    graph.inputs.forEach((value, index) => {
      const given = inputs[index];
      if (given?.shape || given?.dtype) this.#learn(value, { ...this.factOf(value), ...defined(given) });
    });
    for (const node of graph.nodes) {
      const { outputs } = this.#infer(node);
      node.outputs.forEach((value, index) => {
        if (value) this.#learn(value, outputs[index] ?? {});
      });
    }
    return graph.outputs.map((value) => this.factOf(value));
  }
}

function defined(fact: Fact): Fact {
  return Object.fromEntries(Object.entries(fact).filter(([, part]) => part !== undefined));
}
