/** Activation functions that exporters write as several nodes: a value times a gate computed from it. */
import type { Node, Program, Use, Value } from "../../program/index.ts";
import { scalarConstant } from "../fixed-constant.ts";

/** The functions that are a product of a value with a gate. */
export type GatedFunction = "silu" | "hard-swish" | "gelu" | "mish";

/** Nodes that together are one such function, from the gate to the result, in order. */
export interface GatedActivation {
  readonly function: GatedFunction;
  readonly nodes: readonly Node[];
}

/** The steps of each function as `describeStep` writes them; `x` stands for the product with the value itself. */
const PATTERNS: Readonly<Record<string, GatedFunction>> = {
  "Sigmoid, x": "silu",
  "HardSigmoid 0.167 0.500, x": "hard-swish",
  "Add 3.00, Clip 0.00 6.00, x, Div 6.00": "hard-swish",
  "Add 3.00, Clip 0.00 6.00, x, Mul 0.167": "hard-swish",
  "Add 3.00, Clip 0.00 6.00, Div 6.00, x": "hard-swish",
  "Add 3.00, Clip 0.00 6.00, Mul 0.167, x": "hard-swish",
  "Div 1.41, Erf, Add 1.00, x, Mul 0.500": "gelu",
  "Mul 0.707, Erf, Add 1.00, x, Mul 0.500": "gelu",
  "Div 1.41, Erf, Add 1.00, Mul 0.500, x": "gelu",
  "Mul 0.707, Erf, Add 1.00, Mul 0.500, x": "gelu",
  "Softplus, Tanh, x": "mish",
};

const LONGEST_PATTERN = 5;

/**
 * Recognizes SiLU, HardSwish, GELU (by Erf) and Mish in primitive nodes. The value must be used by the gate and by the
 * product and by nothing else, and what comes between by the next step only.
 */
export function gatedActivation(
  value: Value,
  program: Program,
  uses: ReadonlyMap<Value, readonly Use[]>,
): GatedActivation | undefined {
  const { graph } = program;
  const users = uses.get(value)?.map((use) => (use.graph === graph ? use.node : undefined)) ?? [];
  if (users.length !== 2 || users[0] === users[1]) return undefined;
  for (const [gate, product] of [users, users.toReversed()]) {
    if (!gate || product?.operator !== "Mul") continue;
    const nodes: Node[] = [];
    const steps: string[] = [];
    for (let node: Node | undefined = gate; node && nodes.length < LONGEST_PATTERN; ) {
      nodes.push(node);
      steps.push(node === product ? "x" : describeStep(node, nodes.at(-2)?.outputs[0] ?? value, program));
      const found = PATTERNS[steps.join(", ")];
      if (found) return { function: found, nodes };
      const next: readonly Use[] = uses.get(node.output()) ?? [];
      node = next.length === 1 && next[0]!.graph === graph ? next[0]!.node : undefined;
    }
  }
  return undefined;
}

/** An operator and its constant numbers, to three digits. */
function describeStep(node: Node, input: Value, program: Program): string {
  const { operator } = node;
  const numbers =
    operator === "HardSigmoid"
      ? [node.float("alpha", 0.2), node.float("beta", 0.5)]
      : operator === "Clip" && program.opset < 11
        ? [node.float("min", Number.NaN), node.float("max", Number.NaN)]
        : node.inputs
            .filter((other) => other !== input)
            .map((other) => scalarConstant(other, program.graph) ?? Number.NaN);
  const isDomainKnown = node.domain === "" && (operator !== "Div" || node.inputs[0] === input);
  return isDomainKnown ? [operator, ...numbers.map((number) => number.toPrecision(3))].join(" ") : "?";
}
