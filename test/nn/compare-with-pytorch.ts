/** One layer or loss against what PyTorch computed. */
import type { Runtime } from "../../src/runtime/index.ts";
import { inputOf, type LayerCase } from "./layer-case.ts";
import { layerCases } from "./layers.cases.ts";
import { type LossCase, lossCases } from "./losses.cases.ts";
import { distance, type ReferenceRun, reference, wave } from "./reference.ts";
import { type RunResult, runLayer } from "./run-layer.ts";

/** float32 has 6e-8; the longest chains here (attention, recurrences) add up some tens of them. PyTorch ran in float64. */
const TOLERANCE = 5e-6;

/** Returns what of a layer differs: y, gradients, what statistics become. */
export async function layerDifferences(runtime: Runtime, one: LayerCase): Promise<string[]> {
  let parameters = 0;
  const result = await runLayer(runtime, ({ x }, scope) => one.layer(x!, scope), {
    inputs: { x: inputOf(one) },
    training: one.training ?? true,
    variable: (path, { role, shape }) =>
      role === "parameter" ? wave(shape, ++parameters, 0.5) : one.statistics?.[path],
    weights: (shape) => wave(shape, 0.3),
  });
  return differences(result, reference.layers[one.title]!);
}

/** Returns what of a loss differs. */
export async function lossDifferences(runtime: Runtime, one: LossCase): Promise<string[]> {
  const { title, loss, target, shape = [4, 5] } = one;
  const inputs = { x: wave(shape, 0.1, 2), target };
  const weights = (of: readonly number[]) => wave(of, 0.3);
  const result = await runLayer(runtime, ({ x, target }, scope) => loss(x!, target!, scope), { inputs, weights });
  return differences(result, reference.losses[title]!);
}

/**
 * Returns what differs of all layers and losses, each with its title; failures to run too. On WebGPU losses are run with one
 * reduction each.
 */
export async function allDifferences(runtime: Runtime): Promise<string[]> {
  const isWebGpu = runtime.device === "webgpu";
  const layers = layerCases.filter(({ notOnWebGpu }) => !(isWebGpu && notOnWebGpu));
  const losses = lossCases.filter(({ title }) => !(isWebGpu && /, (sum|none)$/.test(title)));
  const checks = [
    ...layers.map((one) => [one.title, () => layerDifferences(runtime, one)] as const),
    ...losses.map((one) => [one.title, () => lossDifferences(runtime, one)] as const),
  ];
  const found: string[] = [];
  for (const [title, check] of checks) {
    try {
      found.push(...(await check()).map((what) => `${title}: ${what}`));
    } catch (error) {
      found.push(`${title}: ${(error as Error).message}`);
    }
  }
  return found;
}

function differences(result: RunResult, expected: ReferenceRun): string[] {
  const compare = (name: string, actual: RunResult["y"] | undefined, signature: ReferenceRun["y"]) =>
    actual && distance(actual, signature) <= TOLERANCE ? [] : [name];
  return [
    ...compare("y", result.y, expected.y),
    ...Object.entries(expected.gradients).flatMap(([path, of]) => compare(path, result.gradients[path], of)),
    ...Object.entries(expected.updates ?? {}).flatMap(([path, of]) => compare(path, result.updates[path], of)),
  ];
}
