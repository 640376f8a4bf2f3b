/** Bringing a program to a newer version of ONNX's operator set. */
import { UnsupportedError } from "../../errors.ts";
import { cloneProgram, DEFAULT_OPSET, type Graph, type Node, type Program } from "../../program/index.ts";
import type { FunctionProto } from "../generated/onnx_pb.ts";
import { plainDomain } from "../read-node.ts";
import { OPERATOR_VERSIONS } from "./operator-versions.ts";
import { floatTypeOf, type UpgradeContext } from "./upgrade-rule.ts";
import { UPGRADE_RULES } from "./upgrade-rules.ts";

/** The rules are complete up to this version; from here on no operator we know changes its meaning up to 26. */
const NEWEST_RULES = 21;

/** IR version that an operator set came with (ONNX's table of released versions), newest first. */
const IR_VERSIONS: readonly (readonly [opset: number, irVersion: number])[] = [
  [21, 10], [19, 9], [15, 8], [12, 7], [11, 6], [10, 5], [9, 4], [0, 3],
]; // biome-ignore format: a table

/**
 * Returns a program that computes the same with a newer version of ONNX's operator set; the program itself when it is that
 * new already. Operators of other domains (com.microsoft, ai.onnx.ml) stay as they are.
 *
 * Shapes and types of values are used where they are known, so infer them first: that gives simpler results, and a few rules
 * need them. Where a file of IR version 3 or less declares its weights as inputs, these become plain constants, which they
 * were in effect.
 *
 * @param target Operator set to reach, at most 21. Default 21.
 * @throws UnsupportedError if operators are unknown or cannot be upgraded; the message lists them all.
 */
export function upgradeOpset(program: Program, target: number = DEFAULT_OPSET): Program {
  if (target > NEWEST_RULES) {
    throw new UnsupportedError(`upgradeOpset: the target must be at most ${NEWEST_RULES}, got ${target}.`);
  }
  const source = program.opset;
  if (source >= target) return program;
  const { program: upgraded } = cloneProgram(program);
  const refusals: string[] = [];
  const context: UpgradeContext = {
    refuse: (node, reason) => {
      refusals.push(`${node.label}: ${reason}`);
    },
    floatType: floatTypeOf(upgraded),
  };
  refuseOldFunctions(upgraded, source, target, refusals);
  upgradeGraph(upgraded.graph, source, target, context);
  if (refusals.length > 0) throw refusal(refusals, source, target);
  upgraded.opsets.set("", target);
  if (upgraded.irVersion < 4) upgraded.graph.inputs = upgraded.graph.inputs.filter((input) => !input.constant);
  const [, irVersion] = IR_VERSIONS.find(([opset]) => opset <= target)!;
  upgraded.irVersion = Math.max(upgraded.irVersion, irVersion);
  return upgraded;
}

function upgradeGraph(graph: Graph, source: number, target: number, context: UpgradeContext): void {
  graph.nodes = graph.nodes.flatMap((node) => upgradeNode(node, source, target, context));
}

function upgradeNode(node: Node, source: number, target: number, context: UpgradeContext): readonly Node[] {
  for (const subgraph of node.subgraphs) upgradeGraph(subgraph, source, target, context);
  if (node.domain !== "") return [node];
  const [first] = OPERATOR_VERSIONS[node.operator] ?? [];
  if (first === undefined || first > source) {
    context.refuse(node, first === undefined ? "it is not an operator of ONNX" : `it came only with opset ${first}`);
    return [node];
  }
  let nodes: readonly Node[] = [node];
  for (let version = source + 1; version <= target; version++) {
    nodes = nodes.flatMap((current) => UPGRADE_RULES[current.operator]?.[version]?.(current, context) ?? [current]);
  }
  return nodes;
}

/** A function's nodes follow the operator set the function itself names, which ONNX Runtime wants to be the model's. */
function refuseOldFunctions(program: Program, source: number, target: number, refusals: string[]): void {
  for (const { name, source: record } of program.functions) {
    const { node, opsetImport } = record as FunctionProto;
    if (!node.some((inner) => plainDomain(inner.domain) === "")) continue;
    const version = opsetImport.find(({ domain }) => plainDomain(domain) === "")?.version ?? source;
    if (Number(version) < target) {
      refusals.push(`function ${name}: its nodes cannot be upgraded. Export the model with its functions inlined`);
    }
  }
}

function refusal(refusals: readonly string[], source: number, target: number): UnsupportedError {
  const listed = refusals.slice(0, 12);
  const more = refusals.length > listed.length ? ` And ${refusals.length - listed.length} more.` : "";
  return new UnsupportedError(
    `upgradeOpset: every operator must be known, to go from opset ${source} to ${target}, got ` +
      `${listed.join("; ")}.${more} Export the model again with opset ${target}.`,
  );
}
