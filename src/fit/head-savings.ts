/** What a fixed head saves in a run. */
import { Ops, Scope, type VariableDeclaration } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import { elementCount } from "../tensor/index.ts";
import { buildNetwork, type DataFacts, type NetworkFile } from "./build-network.ts";
import { codeOf } from "./head-of.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** How much less a fixed head takes than a learned linear one. Bytes are those of float32. */
export interface HeadSavings {
  /** The recipe's `model.head.kind`. */
  readonly kind: string;
  readonly features: number;
  readonly classes: number;
  /** Learned numbers. */
  readonly parameters: number;
  /** Bytes of the head's matrix in the exported file. */
  readonly headBytes: number;
  /** Bytes that the optimizer keeps. */
  readonly optimizerBytes: number;
  /** Multiply-adds of a step that no gradient of the matrix needs. */
  readonly weightGradientMultiplyAdds: number;
  /** Multiply-adds of the product for a sample; of the fast form, its additions are taken off. */
  readonly multiplyAdds: number;
}

/**
 * Counts what a recipe's fixed head saves: the network is built twice, with it and with a learned linear one.
 *
 * @returns Undefined if the head is learned.
 * @see arXiv:1801.04540, table 1
 * @example
 * headSavings(recipe, data, planTraining(recipe, data))?.parameters;
 */
export function headSavings(
  recipe: Recipe,
  data: DataFacts,
  plan: Pick<TrainingPlan, "step" | "batchSize">,
  { importedModel }: { readonly importedModel?: NetworkFile | undefined } = {},
): HeadSavings | undefined {
  const { head } = recipe.model;
  const code = head && codeOf(head);
  if (!code) return undefined;
  const learned = { ...recipe, model: { ...recipe.model, head: { kind: "linear" as const } } };
  const own = parametersOf(recipe, data, importedModel);
  const others = parametersOf(learned, data, importedModel);
  // The matrix [classes, features] is what the learned head has more than the fixed one.
  const matrix = [...others].find(([path, shape]) => shape.length === 2 && !own.has(path))![1];
  const [classes, features] = matrix as [number, number];
  const [before, after] = [countOf(others), countOf(own)];
  const network = { parameters: before, features, classes, batchSize: plan.batchSize };
  const form = nn.fixedHeadForm(code, classes, features);
  const [linear, fixed] = (["linear", form] as const).map((head) => nn.headCosts({ ...network, head }));
  return {
    kind: head.kind,
    features,
    classes,
    parameters: before - after,
    headBytes: linear!.headBytes - fixed!.headBytes,
    optimizerBytes: 4 * slotsOf(plan) * (before - after),
    weightGradientMultiplyAdds: linear!.weightGradientMultiplyAdds - fixed!.weightGradientMultiplyAdds,
    multiplyAdds: form === "fast" ? linear!.multiplyAdds - fixed!.additions : 0,
  };
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Shapes of a network's parameters by path. */
function parametersOf(recipe: Recipe, data: DataFacts, importedModel: NetworkFile | undefined): Shapes {
  const ops = new Ops();
  const shapes = new Map<string, readonly number[]>();
  const values = new Map<string, ReturnType<Ops["input"]>>();
  const declare = (path: string, { dtype, shape, role }: VariableDeclaration) => {
    if (role === "parameter") shapes.set(path, shape);
    const value = values.get(path) ?? ops.input(path, dtype, shape);
    values.set(path, value);
    return value;
  };
  const scope = new Scope(ops, { variables: { declare, update: () => undefined }, training: false });
  const x = ops.input("x", data.dtype, [1, ...data.sampleShape]);
  buildNetwork(recipe, data, { importedModel }).fromSamples(x, scope);
  return shapes;
}

function countOf(shapes: Shapes): number {
  return [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
}

/** Numbers that the optimizer keeps for each parameter. */
function slotsOf({ step: { variables } }: Pick<TrainingPlan, "step">): number {
  const numbers = (wanted: string): number =>
    variables.reduce((sum, { role, shape }) => sum + (role === wanted ? elementCount(shape) : 0), 0);
  return Math.round(numbers("slot") / numbers("parameter"));
}
