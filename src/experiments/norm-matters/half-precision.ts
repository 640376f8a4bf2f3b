/** L1 and L2 norms where every number is rounded to float16: arXiv:1803.01814, section 3. */
import type { RecipeInput, TrainingPlan } from "../../fit/index.ts";
import { type Accumulator, simulateFloat16 } from "../../lower/index.ts";
import type { Program } from "../../program/index.ts";
import { type Tensor, tensorOf, toNumbers } from "../../tensor/index.ts";
import type { Claim } from "../claims.ts";
import type { Lab, ResultCell, Results } from "../experiment.ts";
import { trainBriefly } from "../train-briefly.ts";
import {
  fallingRate,
  finalTop1,
  gained,
  kept,
  MOMENTUM,
  type NormMattersDesign,
  type NormMattersResult,
  type Study,
} from "./design.ts";

/** Small enough to matter nowhere in float32; in float16 it is 0. */
const EPSILON = 1e-12;

/** Mean and deviation of MNIST's pixels. */
const [PIXEL_MEAN, PIXEL_DEVIATION] = [0.1307, 0.3081];
const FIRST_WEIGHT = "hidden.0.linear.weight";

const DEVIATIONS = [
  { deviation: "l1", name: "L1" },
  { deviation: "l2", name: "L2" },
] as const;

const FACTORS = [
  { factor: 1, key: "as-they-are", name: "1" },
  { factor: 300, key: "times-300", name: "300" },
  { factor: 1e-5, key: "times-1e-5", name: "0.00001" },
] as const;

/** What is rounded. `sums`: how the norms' sums over the batch are formed; matrix products sum in float32, as tensor cores do. */
const ARITHMETIC = [
  { key: "float32", header: "float32 %", sums: undefined },
  { key: "float16", header: "float16, sums in float32 %", sums: "float32" },
  { key: "float16-sums", header: "float16, sums too %", sums: "pairwise" },
] as const;

type Factor = (typeof FACTORS)[number];

interface HalfPrecisionRun {
  readonly deviation: "l1" | "l2";
  readonly factor: Factor;
  readonly arithmetic: (typeof ARITHMETIC)[number];
}

const RUNS: readonly HalfPrecisionRun[] = DEVIATIONS.flatMap(({ deviation }) =>
  FACTORS.flatMap((factor) => ARITHMETIC.map((arithmetic) => ({ deviation, factor, arithmetic }))),
);

export const halfPrecisionStudy: Study = {
  units: (design) =>
    RUNS.map((run) => ({
      key: keyOf(run),
      seconds: design.seconds.perceptron,
      run: (lab) => train(lab, run, design),
    })),
  tables: (results) => [
    {
      title: "Half precision",
      note: "MLP on MNIST whose inputs are multiplied by a factor before the first layer. Published, ResNet-18 on ImageNet: L1 with float16 values and sums as in float32; L2 with float16 values and float32 sums 3 to 20 % when it was stopped. Float16 sums of 128 numbers of size 400 are beyond 65504, whatever is divided by.",
      columns: [
        { key: "deviation", header: "divided by" },
        { key: "factor", header: "inputs times" },
        ...ARITHMETIC.map(({ key, header }) => ({ key, header })),
      ],
      rows: DEVIATIONS.flatMap(({ deviation, name }) =>
        FACTORS.map((factor) => ({
          deviation: name,
          factor: factor.name,
          ...Object.fromEntries(
            ARITHMETIC.map((arithmetic) => [arithmetic.key, cell(results, { deviation, factor, arithmetic })]),
          ),
        })),
      ),
    },
  ],
  plots: () => [],
  claims,
};

function keyOf({ deviation, factor, arithmetic }: HalfPrecisionRun): string {
  return `half/${deviation}-${factor.key}-${arithmetic.key}`;
}

/** Top-1, or in how many runs numbers were not finite. */
function cell(results: Results<NormMattersResult>, run: HalfPrecisionRun): ResultCell {
  const found = results.of(keyOf(run));
  const broken = found.filter(({ failure }) => failure !== null).length;
  return broken === 0 ? finalTop1(results, keyOf(run)) : `not finite in ${broken} of ${found.length}`;
}

function train(lab: Lab, { deviation, factor, arithmetic }: HalfPrecisionRun, design: NormMattersDesign) {
  const recipe: RecipeInput = {
    // The deviation itself is kept: its square is no float16 number where the inputs are large or small.
    model: {
      name: "mlp",
      width: 0.5,
      normalization: { kind: "batch", deviation, epsilon: EPSILON, running: "deviation" },
    },
    data: {
      ...design.data.perceptron,
      normalization: { mean: [PIXEL_MEAN * factor.factor], std: [PIXEL_DEVIATION], scale: factor.factor / 255 },
    },
    batch: { size: design.batch },
    // A batch norm cancels biases in front of it. Rounded gradients of theirs do not add up to 0, and would move them by more
    // than small inputs are.
    optimizer: { kind: "sgd", momentum: MOMENTUM, groups: [{ match: "^hidden.*linear\\.bias$", frozen: true }] },
    ...fallingRate(design.epochs.perceptron),
  };
  const changePlan = (plan: TrainingPlan): TrainingPlan => ({
    ...plan,
    step: {
      ...plan.step,
      program: arithmetic.sums ? inFloat16(plan.step.program, arithmetic.sums) : plan.step.program,
    },
    exportModel: (variables) => plan.exportModel(withFactor(variables, factor.factor)),
  });
  return trainBriefly(lab, { recipe, testSamples: design.testSamples, changePlan }).then(kept);
}

/** The step with every number rounded but what makes pictures of bytes, and the optimizer's, which has master weights. */
function inFloat16(step: Program, sums: Accumulator): Program {
  const isKept = (path: string): boolean => path.startsWith("optimizer/") || path.startsWith("normalize/");
  const rounded = (program: Program, accumulator: Accumulator, keepsProducts: boolean): Program =>
    simulateFloat16(program, {
      accumulator,
      keep: ({ name, operator }) => isKept(name) || (keepsProducts && (operator === "Gemm" || operator === "MatMul")),
    });
  // Sums of norms first; what is left, matrix products, has float32 sums.
  return rounded(sums === "float32" ? step : rounded(step, sums, true), "float32", false);
}

/** The network for pictures that are not multiplied: the first weight is. */
function withFactor(variables: Readonly<Record<string, Tensor>>, factor: number): Readonly<Record<string, Tensor>> {
  const weight = variables[FIRST_WEIGHT]!;
  const multiplied = toNumbers(weight).map((w) => w * factor);
  return { ...variables, [FIRST_WEIGHT]: tensorOf(weight.dtype, weight.shape, multiplied) };
}

function claims(results: Results<NormMattersResult>): Claim[] {
  const [float32, float16, float16Sums] = ARITHMETIC;
  const key = (deviation: "l1" | "l2", factor: Factor, arithmetic: HalfPrecisionRun["arithmetic"]): string =>
    keyOf({ deviation, factor, arithmetic });
  const survives = (factor: Factor, arithmetic: HalfPrecisionRun["arithmetic"], name: string): Claim => ({
    statement: `inputs times ${factor.name}, ${name}: L1 is within 1 point of itself in float32`,
    measured: gained(results, key("l1", factor, float32), key("l1", factor, arithmetic)),
    unit: "points",
    above: -1,
    below: 1,
    evidence: "consistent",
    decisive: true,
  });
  const fails = (factor: Factor): Claim => ({
    statement: `inputs times ${factor.name}, float16: L2 fails, 50 points or more below L1`,
    measured: gained(results, key("l1", factor, float16), key("l2", factor, float16)),
    unit: "points",
    below: -50,
    evidence: "clear",
    decisive: true,
  });
  const [plain, large, small] = FACTORS;
  return [
    ...[large, small].flatMap((factor) => [survives(factor, float16, "float16"), fails(factor)]),
    survives(plain, float16Sums, "float16 with float16 sums"),
    survives(small, float16Sums, "float16 with float16 sums"),
  ];
}
