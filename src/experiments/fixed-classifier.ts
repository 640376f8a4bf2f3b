/** Fixed classifiers: heads that are not learned, against heads that are. */
import { openTrainingData } from "../files/index.ts";
import { fit, headScale, parseRecipe, planTraining, type RecipeInput } from "../fit/index.ts";
import type { Claim } from "./claims.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Experiment, Lab, Results } from "./experiment.ts";
import { linePlot } from "./line-plot.ts";

type Head = NonNullable<RecipeInput["model"]["head"]>;

interface Variant {
  readonly key: string;
  readonly title: string;
  readonly head: Head;
}

interface Task {
  readonly key: string;
  readonly title: string;
  readonly recipe: RecipeInput;
  readonly variants: readonly Variant[];
  /** About how long one training takes on two cores. */
  readonly seconds: number;
}

interface Design {
  readonly tasks: readonly Task[];
}

/** What a network with a head came to. */
interface HeadResult {
  /** Percent of test and of training pictures. */
  readonly top1: number;
  readonly trainTop1: number;
  /** Percent of the test pictures of class 0 that are taken for it. */
  readonly recall0: number;
  readonly bias0: number | null;
  /** The scale in the course of training. */
  readonly scales: readonly { readonly step: number; readonly scale: number }[];
}

const LEARNED: Variant = { key: "learned", title: "learned", head: { kind: "linear" } };
const COSINE: Variant = { key: "cosine", title: "learned, cosines", head: { kind: "cosine" } };
const ORTHOGONAL: Variant = { key: "orthogonal", title: "orthogonal", head: { kind: "orthogonal" } };
const SIMPLEX: Variant = { key: "simplex", title: "simplex", head: { kind: "simplex" } };
const ROWS: Variant = { key: "hadamard", title: "Hadamard, rows 1 to C", head: { kind: "hadamard" } };
const PLUS: Variant = { key: "hadamard-plus", title: "Hadamard, from row 0", head: { kind: "hadamard", row0: "keep" } };
const MINUS: Variant = { key: "hadamard-minus", title: "Hadamard, from row 0, minus", head: { kind: "hadamard", row0: "keep", minus: true } }; // biome-ignore format: one variant
const FIXED = [ORTHOGONAL, SIMPLEX, ROWS, PLUS, MINUS];
const CONSTANTS = [0.1, 0.5, 1, 2, 4];
const constant = (scale: number): Variant => ({
  key: `scale-${String(scale).replace(".", "-")}`,
  title: `Hadamard, from row 0, scale ${scale}`,
  head: { kind: "hadamard", row0: "keep", scale },
});
const DEFECTS: readonly Variant[] = [
  {
    key: "no-bias-plus",
    title: "Hadamard, from row 0, no bias",
    head: { kind: "hadamard", row0: "keep", bias: false },
  },
  {
    key: "no-bias-minus",
    title: "Hadamard, from row 0, minus, no bias",
    head: { kind: "hadamard", row0: "keep", minus: true, bias: false },
  },
  { key: "no-bias-rows", title: "Hadamard, rows 1 to C, no bias", head: { kind: "hadamard", bias: false } },
];
const ALL = [LEARNED, COSINE, ...FIXED, ...CONSTANTS.map(constant), ...DEFECTS];

/** An MLP with 64 features behind a ReLU, as in the pilot. */
const MLP: RecipeInput = {
  model: { name: "mlp", width: 0.25, normalization: { kind: "batch" } },
  data: { set: "mnist", limit: 8000 },
  epochs: 8,
  batch: { size: 64 },
  learningRate: 0.1,
  evaluation: { every: 8, trainSamples: 2000 },
};
const CONVNET: RecipeInput = {
  model: { name: "small-convnet" },
  data: { set: "fashion-mnist", limit: 12_000 },
  epochs: 4,
  batch: { size: 128 },
  learningRate: 0.1,
  evaluation: { every: 4, trainSamples: 2000 },
};
export const fixedClassifier: Experiment<Design, HeadResult> = {
  id: "fixed-classifier",
  title: "Heads that are not learned",
  claim:
    "A classifier's last layer may be a fixed orthogonal matrix with one learned scale, at no or little loss of accuracy.",
  source: {
    title: "Hoffer, Hubara, Soudry 2018, Fix your classifier: the marginal value of training the last weight layer",
    url: "https://arxiv.org/abs/1801.04540",
    where: "table 1, figure 2",
  },
  published: {
    note: "Top-1 of ResNet-56 on CIFAR-10, as a fixed head beside a learned one; ours are smaller networks on other data.",
    numbers: { learned: 93.02, fixed: 93.14 },
  },
  version: 1,
  scales: {
    smoke: {
      description: "The MLP on the 600 pictures that come with Modicum.",
      seeds: 1,
      minutes: 0.5,
      data: ["example"],
      design: {
        tasks: [
          {
            key: "mlp",
            title: "MLP",
            recipe: {
              ...MLP,
              data: { set: "example" },
              epochs: 4,
              batch: { size: 25 },
              evaluation: { every: 4, trainSamples: 100 },
            },
            variants: ALL,
            seconds: 1,
          },
        ],
      },
    },
    small: {
      description:
        "8,000 pictures of MNIST for an MLP, 12,000 of Fashion-MNIST for a small convnet, both with 64 features behind a ReLU.",
      seeds: 3,
      minutes: 20,
      data: ["mnist", "fashion-mnist"],
      design: {
        tasks: [
          { key: "mlp", title: "MNIST, MLP", recipe: MLP, variants: ALL, seconds: 4 },
          {
            key: "convnet",
            title: "Fashion-MNIST, convnet",
            recipe: CONVNET,
            variants: [LEARNED, ...FIXED],
            seconds: 30,
          },
        ],
      },
    },
    full: {
      description: "All pictures of both.",
      seeds: 3,
      minutes: 260,
      data: ["mnist", "fashion-mnist"],
      design: {
        tasks: [
          { key: "mlp", title: "MNIST, MLP", recipe: { ...MLP, data: { set: "mnist" } }, variants: ALL, seconds: 30 },
          { key: "convnet", title: "Fashion-MNIST, convnet", recipe: { ...CONVNET, data: { set: "fashion-mnist" }, epochs: 10, evaluation: { every: 10, trainSamples: 2000 } }, variants: ALL, seconds: 300 }, // biome-ignore format: one task
        ],
      },
    },
  },

  units: ({ tasks }) =>
    tasks.flatMap((task) =>
      task.variants.map((variant) => ({
        key: `${task.key}/${variant.key}`,
        seconds: task.seconds,
        run: (lab: Lab<HeadResult>) => trainHead(lab, task, variant),
      })),
    ),

  findings: (results, { tasks }) => ({
    tables: tasks.map(({ key, title, variants }) => ({
      title,
      note: "Top-1 in percent, ± one standard error over seeds; class 0 is the one that a row of ones may belong to.",
      columns: [
        { key: "head", header: "head" },
        { key: "top1", header: "test %" },
        { key: "train", header: "training %" },
        { key: "recall", header: "class 0 found %", digits: 0 },
        { key: "bias", header: "its bias" },
        { key: "scale", header: "last scale" },
      ],
      rows: variants.map((variant) => {
        const found = results.of(`${key}/${variant.key}`);
        const scales = found.flatMap(({ scales }) => scales.slice(-1).map(({ scale }) => scale));
        const biases = found.flatMap(({ bias0 }) => (bias0 === null ? [] : [bias0]));
        return {
          head: variant.title,
          top1: estimate(found.map(({ top1 }) => top1)),
          train: estimate(found.map(({ trainTop1 }) => trainTop1)),
          recall: estimate(found.map(({ recall0 }) => recall0)),
          bias: biases.length > 0 ? estimate(biases) : null,
          scale: scales.length > 0 ? estimate(scales) : null,
        };
      }),
    })),
    plots: tasks.map(({ key, title }) =>
      linePlot({
        id: `${key}-scale`,
        title: `${title}: scale against the logarithm of the step`,
        caption:
          "Seed 1; for rows of signs times sqrt(64), which makes them cosines too. A straight line is logarithmic growth.",
        xLabel: "ln(step)",
        yLabel: "scale of cosines",
        points: [ORTHOGONAL, SIMPLEX, ROWS].flatMap((variant) =>
          (results.of(`${key}/${variant.key}`)[0]?.scales ?? []).map(({ step, scale }) => ({
            series: variant.title,
            x: Math.log(step),
            y: scale * (variant === ROWS ? 8 : 1),
          })),
        ),
      }),
    ),
    claims: tasks.flatMap((task) => claimsOf(results, task)),
    notes: ["The accuracy is that of the last epoch: no test picture has chosen anything."],
  }),
};

function claimsOf(results: Results<HeadResult>, { key, title, variants }: Task): Claim[] {
  const of = (variant: string) => results.of(`${key}/${variant}`);
  const gap = (better: string, worse: string): Estimate => {
    const [a, b] = [of(better), of(worse)];
    return estimate(a.map(({ top1 }, seed) => top1 - b[seed]!.top1));
  };
  const has = (variant: string): boolean => variants.some((one) => one.key === variant);
  const fixed = [ORTHOGONAL, SIMPLEX, ROWS].map(
    (variant): Claim => ({
      statement: `${title}: ${variant.title} is within 0.7 points of learned`,
      measured: gap(variant.key, "learned"),
      unit: "points",
      above: -0.7,
      below: 0.7,
      evidence: "consistent",
      decisive: true,
    }),
  );
  if (!has("scale-0-1")) return fixed;
  const constants = CONSTANTS.map((scale) => gap(constant(scale).key, PLUS.key));
  const best = constants.reduce((a, b) => (b.mean > a.mean ? b : a));
  const clear = { unit: "points", evidence: "clear", decisive: true } as const;
  return [
    ...fixed,
    { ...clear, statement: `${title}: a scale of 0.1 costs 3 points`, measured: gap(PLUS.key, "scale-0-1"), above: 3 },
    { ...clear, evidence: "consistent", statement: `${title}: the best constant is within 0.6 points of a learned scale`, measured: best, above: -0.6, below: 0.6 }, // biome-ignore format: one claim
    { ...clear, unit: "%", statement: `${title}: without a bias the row of ones takes all of class 0`, measured: estimate(of("no-bias-plus").map(({ recall0 }) => recall0)), above: 99.5 }, // biome-ignore format: one claim
    { ...clear, unit: "%", statement: `${title}: with the other sign it takes none`, measured: estimate(of("no-bias-minus").map(({ recall0 }) => recall0)), below: 0.5 }, // biome-ignore format: one claim
    {
      ...clear,
      statement: `${title}: rows 1 to C need no bias to mend that`,
      measured: gap("no-bias-rows", "no-bias-plus"),
      above: 0,
    },
  ];
}

async function trainHead(lab: Lab<HeadResult>, task: Task, { head }: Variant): Promise<HeadResult> {
  const { set } = lab.dataSet(task.recipe.data.set);
  const { model, data: dataKeys } = task.recipe;
  const recipe = parseRecipe(
    { ...task.recipe, model: { ...model, head }, data: { ...dataKeys, set }, seed: lab.seed },
    task.key,
  );
  const data = await openTrainingData(set, { ...recipe.data, seed: lab.seed });
  const plan = planTraining(recipe, data);
  const scales: { step: number; scale: number }[] = [];
  const found = { top1: Number.NaN, trainTop1: Number.NaN, recall0: Number.NaN, bias0: null as number | null };
  // biome-ignore lint/suspicious/noFocusedTests: the training loop, not a test
  await fit(plan, {
    runtime: lab.runtime,
    signal: lab.signal,
    probes: { head: headScale({ steps: Math.max(1, Math.floor(plan.totalSteps / 60)) }) },
    onEvent: (event) => {
      lab.progress(event.step / plan.totalSteps);
      if (event.type === "probe" && event.values.scale !== undefined)
        scales.push({ step: event.step, scale: event.values.scale });
      if (event.type === "probe" && event.values.bias0 !== undefined) found.bias0 = event.values.bias0;
      if (event.type !== "evaluation") return;
      if (event.split === "train") found.trainTop1 = event.top1;
      if (event.split !== "test") return;
      found.top1 = event.top1;
      const row = event.confusion![0]!;
      found.recall0 = (100 * row[0]!) / row.reduce((a, b) => a + b, 0);
    },
  });
  lab.signal.throwIfAborted();
  return { ...found, scales };
}
