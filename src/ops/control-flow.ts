/** Operators that hold sub-graphs: If, Loop, Scan. */
import { ModelFormatError } from "../errors.ts";
import { type Dimension, type Graph, type Node, type Shape, staticShape } from "../program/index.ts";
import { joinFacts, sameFact } from "./merge-facts.ts";
import { type Fact, family, type GraphMacs, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

function graphOf(node: Node, name: string): Graph {
  const attribute = node.attributes.get(name);
  if (attribute?.kind !== "graph")
    throw new ModelFormatError(`${node.label}: attribute "${name}" must be a graph, got ${attribute?.kind ?? "none"}.`);
  return attribute.value;
}

/** The branch taken when the condition is known (the other need not make sense then), else what both have in common. */
function inferIf(node: Node, context: InferenceContext): readonly Fact[] {
  const condition = context.input(0).elements?.[0];
  if (typeof condition === "number")
    return context.graph(graphOf(node, condition === 0 ? "else_branch" : "then_branch"), []);
  const otherwise = context.graph(graphOf(node, "else_branch"), []);
  return context.graph(graphOf(node, "then_branch"), []).map((fact, index) => joinFacts(fact, otherwise[index]!));
}

/** The dearer branch. */
function countIf(node: Node, graphMacs: GraphMacs): number | undefined {
  const [first, second] = [graphMacs(graphOf(node, "then_branch")), graphMacs(graphOf(node, "else_branch"))];
  return first === undefined || second === undefined ? undefined : Math.max(first, second);
}

/** Infers a body, whose first outputs are its states, until what is assumed of the states also holds after it. */
function inferBody(
  context: InferenceContext,
  body: Graph,
  initial: readonly Fact[],
  inputs: (states: readonly Fact[]) => readonly Fact[],
): { readonly states: readonly Fact[]; readonly outputs: readonly Fact[] } {
  let states = initial;
  for (;;) {
    const outputs = context.graph(body, inputs(states));
    const next = states.map((state, index) => joinFacts(state, outputs[index] ?? {}));
    if (next.every((state, index) => sameFact(state, states[index]!))) return { states, outputs };
    states = next;
  }
}

/** Loop: (trip count, condition, states...); the body's outputs are condition, states, then what is stacked. */
function inferLoop(node: Node, context: InferenceContext): readonly Fact[] {
  const body = graphOf(node, "body");
  const counter: Fact = { dtype: "int64", shape: [] };
  const condition: Fact = { dtype: "bool", shape: [], elements: node.inputs[1] ? context.input(1).elements : [1] };
  const initial = [condition, ...node.inputs.slice(2).map((_, index) => context.input(index + 2))];
  const { states, outputs } = inferBody(context, body, initial, (facts) => [counter, ...facts]);
  const goesOn = states[0]!.elements?.[0] === 1;
  const trips = node.inputs[0] && goesOn ? (context.input(0).elements?.[0] ?? null) : null;
  const stacked = outputs
    .slice(initial.length)
    .map(({ dtype, shape }) => ({ dtype, shape: shape && [trips, ...shape] }));
  return [...states.slice(1), ...stacked];
}

/** Scan: (states..., tensors to go through); the body's outputs are states, then what is stacked. */
function inferScan(node: Node, context: InferenceContext): readonly Fact[] {
  const body = graphOf(node, "body");
  const scanned = node.int("num_scan_inputs", 1);
  const stateCount = node.inputs.length - scanned;
  const initial = node.inputs.slice(0, stateCount).map((_, index) => context.input(index));
  const inputAxes = node.ints("scan_input_axes");
  let steps: Dimension = null;
  const slices = Array.from({ length: scanned }, (_, index) => {
    const { dtype, shape } = context.input(stateCount + index);
    if (!shape) return { dtype };
    const axis = normalizeAxis(node, inputAxes?.[index] ?? 0, shape.length);
    steps ??= shape[axis]!;
    return { dtype, shape: shape.filter((_, at) => at !== axis) };
  });
  const { states, outputs } = inferBody(context, body, initial, (facts) => [...facts, ...slices]);
  const outputAxes = node.ints("scan_output_axes");
  const stacked = outputs.slice(stateCount).map(({ dtype, shape }, index) => {
    if (!shape) return { dtype };
    const axis = normalizeAxis(node, outputAxes?.[index] ?? 0, shape.length + 1);
    const result: Shape = [...shape.slice(0, axis), steps, ...shape.slice(axis)];
    return { dtype, shape: result };
  });
  return [...states, ...stacked];
}

/** The body times the steps, which the shape of a stacked output or of a scanned input tells. */
function countScan(node: Node, graphMacs: GraphMacs): number | undefined {
  const once = graphMacs(graphOf(node, "body"));
  if (once === undefined || once === 0) return once;
  const firstScanned = node.inputs.length - node.int("num_scan_inputs", 1);
  const axis = node.ints("scan_input_axes")?.[0] ?? 0;
  const steps = staticShape(node.input(firstScanned))?.at(axis);
  return steps === undefined ? undefined : once * steps;
}

function countLoop(node: Node, graphMacs: GraphMacs): number | undefined {
  const once = graphMacs(graphOf(node, "body"));
  if (once === undefined || once === 0) return once;
  const stacked = node.outputs[node.inputs.length - 2];
  const trips = stacked && staticShape(stacked)?.[0];
  return trips === undefined ? undefined : once * trips;
}

/** Control flow. */
export const controlFlow: readonly Operator[] = [
  ...family(["If"], { infer: inferIf, macs: countIf }),
  ...family(["Loop"], { infer: inferLoop, macs: countLoop }),
  // Operator set 8's Scan has another batch axis and is left unknown.
  ...family(["Scan"], { since: 9, infer: inferScan, macs: countScan }),
];
