/** How far rounding turns the gradients of weights, layer by layer. */
import { openTrainingData } from "../../files/index.ts";
import { type Batch, fit as carryOut, parseRecipe, planTraining, type RecipeInput } from "../../fit/index.ts";
import { tensorCosine } from "../../precision/index.ts";
import { type Tensor, tensorOf, toNumbers } from "../../tensor/index.ts";
import { compile, type StepVariable } from "../../train/index.ts";
import type { Lab } from "../experiment.ts";
import { type EightBitResult, everythingIn, FLOAT_RANGE, recipeOf, type Task, type Variant } from "./variants.ts";

const BITS = [2, 3, 4, 5, 6, 7, 8] as const;

/** Batches whose cosines are averaged. */
const BATCHES = 4;

/** Bits at which a curve is predicted, and the size of the largest weight. */
export const PREDICTED: { readonly bits: readonly number[]; readonly size: number } = { bits: BITS, size: 784 * 128 };

/** Trains in float, then takes the gradients of a few batches in float and in 2 to 8 bits. */
export async function measureCosines(lab: Lab, task: Task): Promise<NonNullable<EightBitResult["cosines"]>> {
  const open = async (recipe: RecipeInput) => {
    const { set } = lab.dataSet(recipe.data.set);
    const resolved = parseRecipe({ ...recipe, data: { ...recipe.data, set }, seed: lab.seed }, "experiment");
    return planTraining(resolved, await openTrainingData(set, { ...resolved.data, seed: lab.seed }));
  };
  const trained = await open(recipeOf(task, FLOAT_RANGE));
  const { variables } = await carryOut(trained, { runtime: lab.runtime, signal: lab.signal });
  lab.signal.throwIfAborted();
  const batches: Batch[] = [];
  for await (const batch of trained.batches(0, 0)) if (batches.push(batch) === BATCHES) break;
  const isWeight = ({ path, role, shape }: StepVariable): boolean =>
    role === "parameter" && shape.length > 1 && path in variables;
  const weights = trained.step.variables.filter(isWeight).map(({ path }) => path);
  const gradientsIn = async (variant: Variant): Promise<Tensor[][]> => {
    // One step of rate 1 without momentum changes weights by their gradients.
    const recipe = recipeOf(task, variant);
    const { step } = await open({
      ...recipe,
      optimizer: { kind: "sgd", momentum: 0 },
      learningRate: 1,
      schedule: { kind: "constant" },
    });
    const known = new Set(step.variables.map(({ path }) => path));
    const start = Object.fromEntries(
      Object.entries(variables).filter(([path]) => known.has(path) && path !== "step" && path !== "seed"),
    );
    const results: Tensor[][] = [];
    for (const batch of batches) {
      const training = await compile(step, { runtime: lab.runtime, seed: lab.seed, variables: start });
      try {
        await training.run(batch);
        const after = await training.variables();
        results.push(weights.map((path) => difference(variables[path]!, after[path]!)));
      } finally {
        await training.release();
      }
    }
    return results;
  };
  const exact = await gradientsIn(FLOAT_RANGE);
  const found: { layer: string; bits: number; cosine: number }[] = [];
  for (const bits of BITS) {
    const rounded = await gradientsIn(everythingIn(bits));
    weights.forEach((path, place) => {
      const cosines = exact.map((gradients, batch) => tensorCosine(gradients[place]!, rounded[batch]![place]!));
      const mean = cosines.reduce((sum, one) => sum + one, 0) / cosines.length;
      found.push({ layer: path.replace(/(\.linear)?\.weight$/, ""), bits, cosine: mean });
    });
  }
  return found;
}

function difference(before: Tensor, after: Tensor): Tensor {
  const end = toNumbers(after);
  return tensorOf(
    "float64",
    before.shape,
    Array.from(toNumbers(before), (number, index) => number - end[index]!),
  );
}
