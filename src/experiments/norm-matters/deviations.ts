/** Batch norms that divide by other deviations, and by wrong constants: arXiv:1803.01814, section 3 and its figures. */
import type { RecipeInput } from "../../fit/index.ts";
import type { Claim } from "../claims.ts";
import type { Lab, Results } from "../experiment.ts";
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

/** C1 = sqrt(pi / 2) makes L1 the standard deviation of normal numbers. */
const L1_CONSTANT = Math.sqrt(Math.PI / 2);

/** Weight decay of the published ResNets. */
export const CONVNET_DECAY = 1e-4;

const DEVIATIONS = [
  { key: "l2", name: "L2", deviation: "l2", constant: "exact", published: 66.3 },
  { key: "l1", name: "L1", deviation: "l1", constant: "exact", published: 66 },
  { key: "top-10", name: "top-10", deviation: "top-10", constant: "exact", published: 66 },
  { key: "range", name: "range", deviation: "range", constant: "exact", published: null },
  { key: "l-infinity", name: "L-infinity", deviation: "l-infinity", constant: "exact", published: null },
  { key: "l-infinity-reference", name: "L-infinity, published constant", deviation: "l-infinity", constant: "reference", published: 64 },
] as const; // biome-ignore format: a table

const CONSTANTS = [
  { key: "quarter", name: "L1, a quarter of its constant", factor: 1 / 4, published: 64 },
  { key: "four-times", name: "L1, four times its constant", factor: 4, published: 64.7 },
] as const;

type Norm = Extract<NonNullable<Extract<RecipeInput["model"], { name: string }>["normalization"]>, { kind: "batch" }>;

export const deviationStudy: Study = {
  units: (design) => [
    ...DEVIATIONS.map(({ key, deviation, constant }) => ({
      key: `perceptron/${key}`,
      seconds: design.seconds.perceptron,
      run: (lab: Lab) => trainPerceptron(lab, { kind: "batch", deviation, constant }, design),
    })),
    ...CONSTANTS.map(({ key, factor }) => ({
      key: `constant/${key}`,
      seconds: design.seconds.perceptron,
      run: (lab: Lab) =>
        trainPerceptron(lab, { kind: "batch", deviation: "l1", constant: factor * L1_CONSTANT }, design),
    })),
    ...DEVIATIONS.map(({ key, deviation, constant }) => ({
      key: `convnet/${key}`,
      seconds: design.seconds.convnet,
      run: (lab: Lab) => trainConvnet(lab, { kind: "batch", deviation, constant }, design),
    })),
  ],
  tables: (results) => [
    {
      title: "Deviations that batch norms divide by",
      note: "MLP on MNIST and small convnet on Fashion-MNIST beside the published ResNet-18 on ImageNet, whose curves are read to 0.5 points. Constants are exact where nothing else is said: normal numbers come out with deviation 1.",
      columns: [
        { key: "deviation", header: "divided by" },
        { key: "perceptron", header: "MLP %" },
        { key: "convnet", header: "convnet %" },
        { key: "published", header: "published %" },
      ],
      rows: [
        ...DEVIATIONS.map(({ key, name, published }) => ({
          deviation: name,
          perceptron: finalTop1(results, `perceptron/${key}`),
          convnet: finalTop1(results, `convnet/${key}`),
          published,
        })),
        ...CONSTANTS.map(({ key, name, published }) => ({
          deviation: name,
          perceptron: finalTop1(results, `constant/${key}`),
          convnet: null,
          published,
        })),
      ],
    },
  ],
  plots: () => [],
  claims,
};

function trainPerceptron(lab: Lab, normalization: Norm, design: NormMattersDesign): Promise<NormMattersResult> {
  const recipe: RecipeInput = {
    model: { name: "mlp", width: 0.5, normalization },
    data: design.data.perceptron,
    batch: { size: design.batch },
    optimizer: { kind: "sgd", momentum: MOMENTUM },
    ...fallingRate(design.epochs.perceptron),
  };
  return trainBriefly(lab, { recipe, testSamples: design.testSamples }).then(kept);
}

function trainConvnet(lab: Lab, normalization: Norm, design: NormMattersDesign): Promise<NormMattersResult> {
  const recipe: RecipeInput = {
    model: { name: "small-convnet", normalization },
    data: design.data.convnet,
    batch: { size: design.batch },
    optimizer: { kind: "sgd", momentum: MOMENTUM, weightDecay: CONVNET_DECAY },
    ...fallingRate(design.epochs.convnet),
  };
  return trainBriefly(lab, { recipe, testSamples: design.testSamples }).then(kept);
}

function claims(results: Results<NormMattersResult>): Claim[] {
  const others = DEVIATIONS.filter(({ key }) => key !== "l2");
  const alike = (network: string, points: number): Claim[] =>
    others.map(({ key, name }) => ({
      statement: `${network}: ${name} is within ${points} points of L2`,
      measured: gained(
        results,
        `${network === "MLP" ? "perceptron" : "convnet"}/l2`,
        `${network === "MLP" ? "perceptron" : "convnet"}/${key}`,
      ),
      unit: "points",
      above: -points,
      below: points,
      evidence: "consistent",
      decisive: true,
    }));
  return [
    ...alike("MLP", 0.5),
    ...alike("convnet", 1),
    ...CONSTANTS.map(
      ({ key, name }): Claim => ({
        statement: `MLP: ${name}, is no better than the right one`,
        measured: gained(results, "perceptron/l1", `constant/${key}`),
        unit: "points",
        below: 0,
        evidence: "consistent",
        decisive: false,
      }),
    ),
  ];
}
