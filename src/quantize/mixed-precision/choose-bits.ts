/** Choosing one width for each layer so that the errors sum to the least within limits: an integer program. */
import type { Highs } from "highs";
import { UnsupportedError } from "../../errors.ts";

/** One width that a layer could have, and what it costs. */
export interface WidthOption {
  /** Bits of the weights; 16 for float. */
  readonly bits: number;
  /** What it does to the model's outputs; see `measureSensitivities`. */
  readonly error: number;
  /** Of the weights and what belongs to them, in the file. */
  readonly sizeBytes: number;
  /** Of the layer; 0 where that is not asked for. */
  readonly latencyMs: number;
}

/** What the sums over layers must not exceed. */
export interface ChoiceLimits {
  readonly sizeBytes?: number | undefined;
  readonly latencyMs?: number | undefined;
}

/**
 * Returns for each layer the index of its option, so that the sum of errors is the least that the limits allow: a
 * multiple-choice knapsack, solved to optimality by HiGHS (branch and cut). Of options with the same error and costs any.
 *
 * @returns Undefined when no choice is within the limits.
 */
export async function chooseBits(
  layers: readonly (readonly WidthOption[])[],
  limits: ChoiceLimits,
): Promise<number[] | undefined> {
  if (layers.some((options) => options.length === 0)) return undefined;
  const sum = (choice: readonly number[], of: (option: WidthOption) => number): number =>
    choice.reduce((total, index, layer) => total + of(layers[layer]![index]!), 0);
  const within = (choice: readonly number[]): boolean =>
    sum(choice, ({ sizeBytes }) => sizeBytes) <= (limits.sizeBytes ?? Number.POSITIVE_INFINITY) &&
    sum(choice, ({ latencyMs }) => latencyMs) <= (limits.latencyMs ?? Number.POSITIVE_INFINITY) + LATENCY_TOLERANCE_MS;
  // Nothing to solve where every layer can have what is best for it.
  const best = layers.map((options) => indexOfLeast(options, ({ error }) => error));
  if (within(best)) return best;
  const highs = await solver();
  const { Status: status, Columns: columns } = highs.solve(problemOf(layers, limits), {
    mip_rel_gap: 0,
    mip_abs_gap: 0,
    random_seed: 0,
  });
  if (status !== "Optimal") return undefined;
  const choice = layers.map((options, layer) =>
    indexOfLeast(options, (_, index) => -(columns[variable(layer, index)] as { readonly Primal: number }).Primal),
  );
  return within(choice) ? choice : undefined;
}

/** Sums of milliseconds are not exact. */
const LATENCY_TOLERANCE_MS = 1e-6;

function indexOfLeast<T>(items: readonly T[], of: (item: T, index: number) => number): number {
  let least = 0;
  for (let i = 1; i < items.length; i++) if (of(items[i]!, i) < of(items[least]!, least)) least = i;
  return least;
}

function variable(layer: number, option: number): string {
  return `x${layer}_${option}`;
}

/** The problem in CPLEX's LP format, one 0-1 variable for each option of each layer. */
function problemOf(layers: readonly (readonly WidthOption[])[], { sizeBytes, latencyMs }: ChoiceLimits): string {
  // Tolerances of solvers are absolute: errors are scaled to thousands.
  const largest = Math.max(...layers.flatMap((options) => options.map(({ error }) => error)), Number.MIN_VALUE);
  const terms = (of: (option: WidthOption) => number): string =>
    layers
      .flatMap((options, layer) => options.map((option, i) => `${of(option)} ${variable(layer, i)}`))
      // A parser of lines of limited length reads them one by one.
      .join("\n + ");
  const one = layers.map(
    (options, layer) => ` layer${layer}: ${options.map((_, i) => variable(layer, i)).join(" + ")} = 1`,
  );
  return [
    "Minimize",
    ` error: ${terms(({ error }) => (1000 * error) / largest)}`,
    "Subject To",
    ...one,
    ...(sizeBytes === undefined ? [] : [` size: ${terms((option) => option.sizeBytes)} <= ${sizeBytes}`]),
    ...(latencyMs === undefined ? [] : [` latency: ${terms((option) => option.latencyMs)} <= ${latencyMs}`]),
    "Binary",
    ...layers.flatMap((options, layer) => options.map((_, i) => ` ${variable(layer, i)}`)),
    "End",
  ].join("\n");
}

/** What the package's module gives; its types describe the CommonJS one. */
interface HighsModule {
  default(): Promise<Highs>;
}

/** The package's name, where no bundler takes it for an import that it should follow. */
const PACKAGE = ["highs"];

let loading: Promise<Highs> | undefined;

/**
 * HiGHS, compiled to WebAssembly: loaded when first needed. Bundlers for browsers must leave it out, since many fail at what it
 * imports in Node; a page finds it by an import map.
 *
 * @throws UnsupportedError if it is not found.
 */
function solver(): Promise<Highs> {
  loading ??= import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE[0]!).then(
    (module: HighsModule) => module.default(),
    (cause: unknown) => {
      throw new UnsupportedError(
        "quantize: limits need the package highs, which must be installed, or in a page be in the import map, got none.",
        { cause },
      );
    },
  );
  return loading;
}
