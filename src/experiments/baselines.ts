/** Plain training: accuracy by epoch on MNIST, Fashion-MNIST and CIFAR-10. */
import { type RecipeInput, recipes } from "../fit/index.ts";
import type { Claim } from "./claims.ts";
import type { Estimate } from "./estimate.ts";
import type { Experiment, Results } from "./experiment.ts";
import { linePlot } from "./line-plot.ts";
import { type CurvePoint, trainNetwork } from "./train-network.ts";

interface BaselinesDesign {
  readonly networks: readonly BaselineNetwork[];
}

interface BaselineNetwork {
  readonly key: string;
  readonly title: string;
  readonly recipe: RecipeInput;
  /** Seeds it is trained from; the costly ones from fewer than the others. */
  readonly seeds: number;
  /** Percent that it must clearly pass. */
  readonly above: number;
  /** About how long it takes on two cores. */
  readonly seconds: number;
}

/** How a network learned. */
interface BaselineResult {
  readonly curve: readonly CurvePoint[];
  readonly parameters: number;
  readonly seconds: number;
}

const MLP = { key: "mnist-mlp", title: "MNIST, MLP" };
const LENET = { key: "mnist-lenet", title: "MNIST, LeNet" };
const FASHION = { key: "fashion-mnist-convnet", title: "Fashion-MNIST, small convnet" };
const CIFAR = { key: "cifar10-resnet20", title: "CIFAR-10, ResNet-20" };

export const baselines: Experiment<BaselinesDesign, BaselineResult> = {
  id: "baselines",
  title: "Baselines: accuracy by epoch",
  claim: "Well-known networks reach their well-known accuracies, convolutions ahead of a multilayer perceptron.",
  source: {
    title: "He, Zhang, Ren, Sun 2015, Deep residual learning for image recognition (CIFAR-10); others in the notes",
    url: "https://arxiv.org/abs/1512.03385",
    where: "table 6",
  },
  published: {
    note: "Top-1 on the same test sets, of longer training: MNIST MLP, Simard, Steinkraus, Platt 2003 (800 hidden units, cross-entropy, no distortions, 1.6 % errors); LeNet-5, LeCun, Bottou, Bengio, Haffner 1998 (no distortions, 0.95 %); Fashion-MNIST, the data set's own list (two convolutions, below 100,000 parameters, not checked by its keepers); ResNet-20, He et al. 2015 (164 epochs, 8.75 %).",
    numbers: {
      [MLP.key]: 98.4,
      [LENET.key]: 99.05,
      [FASHION.key]: 92.5,
      [CIFAR.key]: 91.25,
    },
  },
  version: 1,
  scales: {
    smoke: {
      description: "Two tiny networks on the 600 pictures that come with Modicum.",
      seeds: 1,
      minutes: 0.5,
      data: ["example"],
      design: {
        networks: [
          { ...MLP, title: "example, MLP", recipe: smoke("mlp"), seeds: 1, above: 20, seconds: 2 },
          { ...LENET, title: "example, LeNet", recipe: smoke("lenet"), seeds: 1, above: 20, seconds: 4 },
        ],
      },
    },
    small: {
      description:
        "All training pictures, few epochs of one-cycle schedules: 10 and 3 on MNIST and 6 on Fashion-MNIST from three seeds, 10 on CIFAR-10 from one.",
      seeds: 3,
      minutes: 20,
      data: ["mnist", "fashion-mnist", "cifar10"],
      design: {
        networks: [
          { ...MLP, recipe: { ...recipes.mlp, epochs: 10 }, seeds: 3, above: 98, seconds: 16 },
          { ...LENET, recipe: { ...recipes.lenet, epochs: 3 }, seeds: 3, above: 98.5, seconds: 40 },
          { ...FASHION, recipe: { ...recipes["small-convnet"], epochs: 6 }, seeds: 3, above: 90, seconds: 80 },
          { ...CIFAR, recipe: { ...recipes.resnet20, epochs: 10 }, seeds: 1, above: 85, seconds: 680 },
        ],
      },
    },
    full: {
      description:
        "All training pictures, until nothing more is gained: 20 epochs on MNIST, 30 on Fashion-MNIST, 164 on CIFAR-10 with the published schedule, from three seeds.",
      seeds: 3,
      minutes: 800,
      data: ["mnist", "fashion-mnist", "cifar10"],
      design: {
        networks: [
          { ...MLP, recipe: { ...recipes.mlp, epochs: 20 }, seeds: 3, above: 98, seconds: 60 },
          { ...LENET, recipe: { ...recipes.lenet, epochs: 20 }, seeds: 3, above: 98.9, seconds: 270 },
          { ...FASHION, recipe: { ...recipes["small-convnet"], epochs: 30 }, seeds: 3, above: 92, seconds: 450 },
          { ...CIFAR, recipe: asPublished(recipes.resnet20), seeds: 3, above: 91, seconds: 11_000 },
        ],
      },
    },
  },

  units: ({ networks }, seed) =>
    networks
      .filter(({ seeds }) => seed <= seeds)
      .map(({ key, recipe, seconds }) => ({
        key,
        seconds,
        run: async (lab) => {
          const { curve, parameterCount: parameters, seconds: taken } = await trainNetwork(lab, key, recipe);
          return { curve, parameters, seconds: taken };
        },
      })),

  findings: (results, { networks }) => ({
    tables: [
      {
        title: "Top-1 after training",
        note: "Percent of test pictures, ± one standard error over pictures and seeds.",
        columns: [
          { key: "network", header: "data, network" },
          { key: "parameters", header: "parameters", digits: 0 },
          { key: "epochs", header: "epochs", digits: 0 },
          { key: "seeds", header: "seeds", digits: 0 },
          { key: "ours", header: "ours %" },
          { key: "published", header: "published %" },
          { key: "seconds", header: "seconds of training", digits: 0 },
        ],
        rows: networks.map(({ key, title }) => {
          const found = results.of(key);
          return {
            network: title,
            parameters: found[0]!.parameters,
            epochs: found[0]!.curve.at(-1)!.epoch,
            seeds: found.length,
            ours: finalTop1(results, key),
            published: baselines.published.numbers[key] ?? null,
            seconds: mean(found.map(({ seconds }) => seconds)),
          };
        }),
      },
    ],
    plots: networks.map(({ key, title }) => {
      const found = results.of(key);
      const published = baselines.published.numbers[key]!;
      return linePlot({
        id: key,
        title: `${title}: top-1 by epoch`,
        caption: "On the test pictures, a line for each seed.",
        points: found.flatMap(({ curve }, i) =>
          curve.map(({ epoch, top1 }) => ({ series: `seed ${i + 1}`, x: epoch, y: top1 })),
        ),
        xLabel: "epoch",
        yLabel: "top-1, %",
        references: [{ label: "published", y: published }],
      });
    }),
    claims: claimsOf(results, networks),
    notes: ["The accuracy is that of the last epoch, not of the best: no test picture has chosen anything."],
  }),
};

function claimsOf(results: Results<BaselineResult>, networks: readonly BaselineNetwork[]): Claim[] {
  const passed = networks.map(
    ({ key, title, above }): Claim => ({
      statement: `${title}: over ${above} %`,
      measured: finalTop1(results, key),
      unit: "%",
      above,
      evidence: "clear",
      decisive: true,
    }),
  );
  const [mlp, lenet] = [finalTop1(results, MLP.key), finalTop1(results, LENET.key)];
  const gap: Estimate = {
    mean: lenet.mean - mlp.mean,
    standardError: Math.hypot(lenet.standardError!, mlp.standardError!),
  };
  const ahead = { statement: "convolutions are ahead of the MLP on MNIST", measured: gap, unit: "points", above: 0 };
  return [...passed, { ...ahead, evidence: "clear", decisive: true }];
}

/** Mean over seeds of the last evaluation; the standard error is that of seeds and of a share of so many pictures. */
function finalTop1(results: Results<BaselineResult>, key: string): Estimate {
  const last = results.of(key).map(({ curve }) => curve.at(-1)!);
  const top1 = last.map((point) => point.top1);
  const average = mean(top1);
  const ofPictures = (average * (100 - average)) / last[0]!.count;
  const squares = top1.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const ofSeeds = top1.length < 2 ? 0 : squares / (top1.length - 1) / top1.length;
  return { mean: average, standardError: Math.sqrt(ofPictures + ofSeeds) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function smoke(name: "mlp" | "lenet"): RecipeInput {
  return { model: { name }, data: { set: "example" }, epochs: 8, batch: { size: 25 }, learningRate: 0.01 };
}

/** The schedule of the paper's section 4.2, in epochs of 391 steps. */
function asPublished(recipe: RecipeInput): RecipeInput {
  return {
    ...recipe,
    epochs: 164,
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    learningRate: 0.1,
    schedule: { kind: "multi-step", milestones: [82, 123] },
  };
}
