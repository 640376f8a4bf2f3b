/** The one check that every gradient rule's cases go through. */
import type { Runtime, Session } from "../../src/runtime/index.ts";
import { Tensor, toNumbers } from "../../src/tensor/index.ts";
import type { GradientCase } from "./gradient-case.ts";
import {
  buildProgram,
  createSession,
  type DrawnCase,
  draw,
  feedsOf,
  nextWeight,
  type ProgramSettings,
} from "./gradient-programs.ts";

/**
 * Greatest difference of a gradient from central differences, relative to the input's largest gradient. Differences of fourth
 * order with a step of 1e-3 are right to about 1e-11 for the functions here; what is asked for is 1e-6.
 */
export const DEFAULT_TOLERANCE = 1e-6;

/** Step of the differences. Two steps fit between a kink and inputs that keep 0.01 away from it. */
const STEP = 1e-3;

/** Weights of f(x + k STEP) in the difference of fourth order: errors are STEP^4 f'''''(x) / 30. */
const STENCIL: readonly (readonly [k: number, weight: number])[] = [
  [-2, 1 / 12],
  [-1, -8 / 12],
  [1, 8 / 12],
  [2, -1 / 12],
];

/**
 * Returns what is wrong with the gradients of a case's program in float64; nothing when all is well.
 *
 * Each gradient must have its input's shape and element type, when built and when run, agree with central differences of the
 * same program, and with the closed form where the case has one. A case marked `second` is checked once more with its
 * gradients in place of its outputs. No gradient counts as zeros.
 */
export async function checkGradient(subject: GradientCase, runtime: Runtime): Promise<string[]> {
  const drawn = draw(subject);
  return [
    ...(await checkOrder(drawn, runtime, "outputs", "first")),
    ...(subject.second ? await checkOrder(drawn, runtime, "first", "second") : []),
    ...(subject.closedForm ? await checkClosedForm(drawn, runtime) : []),
  ];
}

/** Compares the gradients in one program with differences of another's outputs. */
async function checkOrder(
  drawn: DrawnCase,
  runtime: Runtime,
  from: "outputs" | "first",
  order: "first" | "second",
): Promise<string[]> {
  const { inputs, wrt, subject } = drawn;
  const analytic = await runGradients(drawn, runtime, { dtype: "float64", device: runtime.device, order });
  const numeric = await differences(drawn, runtime, from);
  return wrt.flatMap((index, position) => {
    const { declared, produced } = analytic[position]!;
    const expected = `float64 [${inputs[index]!.shape.join(", ")}]`;
    const where = `${order} gradient of input ${index}`;
    if (declared !== undefined && declared !== expected) return [`${where}: built as ${declared}, not ${expected}`];
    const shown = produced && `${produced.dtype} [${produced.shape.join(", ")}]`;
    if (shown !== undefined && shown !== expected) return [`${where}: run as ${shown}, not ${expected}`];
    const values = produced ? toNumbers(produced) : new Float64Array(inputs[index]!.size);
    return disagreement(where, values, numeric[position]!, subject.tolerance ?? DEFAULT_TOLERANCE);
  });
}

async function checkClosedForm(drawn: DrawnCase, runtime: Runtime): Promise<string[]> {
  const settings = { dtype: "float64", device: runtime.device, order: "first", weights: "ones" } as const;
  const analytic = await runGradients(drawn, runtime, settings);
  const expected = drawn.subject.closedForm!(...drawn.inputs.map(toNumbers));
  return drawn.wrt.flatMap((index, position) => {
    const { produced } = analytic[position]!;
    const values = produced ? toNumbers(produced) : new Float64Array(drawn.inputs[index]!.size);
    // A closed form is exact: what is left is the rounding of a few operations.
    return disagreement(`closed form of input ${index}`, values, Float64Array.from(expected[position]!), 1e-10);
  });
}

/** A gradient as it was declared when built, and as it came out; both undefined where nothing depends on the input. */
interface RunGradient {
  readonly declared: string | undefined;
  readonly produced: Tensor | undefined;
}

async function runGradients(drawn: DrawnCase, runtime: Runtime, settings: ProgramSettings): Promise<RunGradient[]> {
  const built = buildProgram(drawn, settings);
  if (built.outputs.every((output) => output === undefined))
    return drawn.wrt.map(() => ({ declared: undefined, produced: undefined }));
  const session = await createSession(runtime, built);
  try {
    const results = await session.run(feedsOf(drawn.inputs, settings.dtype));
    return built.outputs.map((value, index) => ({
      declared: value && `${value.dtype} [${value.shape?.join(", ")}]`,
      produced: results[`y${index}`],
    }));
  } finally {
    await session.release();
  }
}

/** Returns d(weighted sum of the outputs) / d(element) for every element of the inputs that are differentiated. */
async function differences(drawn: DrawnCase, runtime: Runtime, order: "outputs" | "first"): Promise<Float64Array[]> {
  const { inputs, wrt } = drawn;
  const built = buildProgram(drawn, { dtype: "float64", device: runtime.device, order });
  if (built.program.graph.outputs.length === 0) return wrt.map((index) => new Float64Array(inputs[index]!.size));
  const session = await createSession(runtime, built);
  try {
    const numeric: Float64Array[] = [];
    for (const index of wrt) numeric.push(await differencesOf(drawn, session, index));
    return numeric;
  } finally {
    await session.release();
  }
}

async function differencesOf({ inputs, random }: DrawnCase, session: Session, index: number): Promise<Float64Array> {
  const feeds = feedsOf(inputs, "float64");
  const input = inputs[index]!;
  const numeric = new Float64Array(input.size);
  for (let element = 0; element < input.size; element++) {
    for (const [k, weight] of STENCIL) {
      const moved = Float64Array.from(input.data as Float64Array);
      moved[element]! += k * STEP;
      const results = await session.run({ ...feeds, [`x${index}`]: new Tensor("float64", input.shape, moved) });
      numeric[element]! += (weight * weightedSum(results, random())) / STEP;
    }
  }
  return numeric;
}

/** The loss of the gradient program, from its parts: in the same order, with the same weights. */
function weightedSum(results: Readonly<Record<string, Tensor>>, random: ReturnType<DrawnCase["random"]>): number {
  let sum = 0;
  const names = Object.keys(results).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  for (const name of names) {
    const result = results[name]!;
    if (!result.dtype.startsWith("float")) continue;
    for (const x of toNumbers(result)) sum += x * nextWeight(random);
  }
  return sum;
}

function disagreement(where: string, values: Float64Array, expected: Float64Array, tolerance: number): string[] {
  if (values.length !== expected.length) return [`${where}: ${values.length} numbers, not ${expected.length}`];
  const scale = Math.max(...values.map(Math.abs), ...expected.map(Math.abs));
  const errors = values.map((value, element) => Math.abs(value - expected[element]!));
  const worst = Math.max(...errors);
  // Where there is no gradient, differences still have the noise of rounding: 1e-16 / STEP, summed.
  if (worst <= tolerance * scale || scale < 1e-11) return [];
  const element = errors.findIndex((error) => !(error < worst));
  return [
    `${where}: off by ${(worst / scale).toExponential(1)} of its largest element; element ${element} is ` +
      `${values[element]}, not ${expected[element]}`,
  ];
}
