/** Bringing a program to a newer version of ONNX's operator set. */
import { UnsupportedError } from "../../errors.ts";
import { cloneProgram, DEFAULT_OPSET, type Program } from "../../program/index.ts";
import { inlineFunctions } from "../inline-functions.ts";
import { upgradeGraph } from "./upgrade-nodes.ts";
import { floatTypeOf, type UpgradeContext } from "./upgrade-rule.ts";

/** The rules are complete up to this version; from here on no operator we know changes its meaning up to 26. */
const NEWEST_RULES = 21;

/** IR version that an operator set came with (ONNX's table of released versions), newest first. */
const IR_VERSIONS: readonly (readonly [opset: number, irVersion: number])[] = [
  [21, 10], [19, 9], [15, 8], [12, 7], [11, 6], [10, 5], [9, 4], [0, 3],
]; // biome-ignore format: a table

/**
 * Returns a program that computes the same with a newer version of ONNX's operator set; the program itself when it is that
 * new already. Operators of other domains (com.microsoft, ai.onnx.ml) stay as they are. Functions that the model
 * defines are inlined.
 *
 * Shapes and types of values are used where they are known, so infer them first: that gives simpler results, and a few rules
 * need them. Where a file of IR version 3 or less declares its weights as inputs, these become plain constants, which they
 * were in effect.
 *
 * @param target Operator set to reach, at most 21 unless the program is that new already. Default 21.
 * @throws UnsupportedError if operators are unknown or cannot be upgraded; the message lists them all.
 */
export function upgradeOpset(program: Program, target: number = DEFAULT_OPSET): Program {
  const source = program.opset;
  if (source >= target) return program;
  if (target > NEWEST_RULES) {
    throw new UnsupportedError(`upgradeOpset: the target must be at most ${NEWEST_RULES}, got ${target}.`);
  }
  const { program: upgraded } = cloneProgram(inlineFunctions(program));
  const refusals: string[] = [];
  const context: UpgradeContext = {
    refuse: (node, reason) => {
      refusals.push(`${node.label}: ${reason}`);
    },
    floatType: floatTypeOf(upgraded),
  };
  upgradeGraph(upgraded.graph, { source, target }, context);
  if (refusals.length > 0) throw refusal(refusals, source, target);
  upgraded.opsets.set("", target);
  if (upgraded.irVersion < 4) upgraded.graph.inputs = upgraded.graph.inputs.filter((input) => !input.constant);
  const [, irVersion] = IR_VERSIONS.find(([opset]) => opset <= target)!;
  upgraded.irVersion = Math.max(upgraded.irVersion, irVersion);
  return upgraded;
}

function refusal(refusals: readonly string[], source: number, target: number): UnsupportedError {
  const listed = refusals.slice(0, 12);
  const more = refusals.length > listed.length ? ` And ${refusals.length - listed.length} more.` : "";
  return new UnsupportedError(
    `upgradeOpset: every operator must be known, to go from opset ${source} to ${target}, got ` +
      `${listed.join("; ")}.${more} Export the model again with opset ${target}.`,
  );
}
