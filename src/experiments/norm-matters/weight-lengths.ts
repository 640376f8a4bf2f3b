/** Weights of bounded and of learned length in the place of batch norm: arXiv:1803.01814, section 4. */
import type { RecipeInput } from "../../fit/index.ts";
import type { Lab } from "../experiment.ts";
import { trainBriefly } from "../train-briefly.ts";
import { fallingRate, finalTop1, gained, kept, MOMENTUM, type NormMattersDesign, type Study } from "./design.ts";
import { CONVNET_DECAY } from "./deviations.ts";

/** Batch norm is the norm swap's L2. */
const BATCH_NORM = "convnet/l2";

/** Decay of bounded weights acts on nothing but a length that does not count: published without. */
const RUNS = [
  { key: "bwn", name: "bounded weight norm", weightDecay: 0, published: 73.8 },
  { key: "bwn-g", name: "bounded weight norm, learned gains", weightDecay: 0, published: null },
  { key: "wn", name: "weight norm", weightDecay: CONVNET_DECAY, published: 67 },
] as const;

export const weightLengthStudy: Study = {
  units: (design) =>
    RUNS.map((run) => ({
      key: `weights/${run.key}`,
      seconds: design.seconds.convnet,
      run: (lab) => train(lab, run, design),
    })),
  tables: (results) => [
    {
      title: "Norms of weights in the place of batch norm",
      note: "Small convnet on Fashion-MNIST beside the published ResNet-50 on ImageNet. Those of weights come with a batch norm that subtracts the mean and adds a bias, as published.",
      columns: [
        { key: "network", header: "normalization" },
        { key: "ours", header: "ours %" },
        { key: "published", header: "published %" },
      ],
      rows: [
        { network: "batch norm", ours: finalTop1(results, BATCH_NORM), published: 75.3 },
        ...RUNS.map(({ key, name, published }) => ({
          network: name,
          ours: finalTop1(results, `weights/${key}`),
          published,
        })),
      ],
    },
  ],
  plots: () => [],
  claims: (results) => {
    const shown = { unit: "points", evidence: "consistent", decisive: false } as const;
    return [
      {
        statement: "bounded weight norm comes within 3 points of batch norm",
        measured: gained(results, BATCH_NORM, "weights/bwn"),
        ...shown,
        above: -3,
      },
      {
        statement: "bounded weight norm is no worse than weight norm",
        measured: gained(results, "weights/wn", "weights/bwn"),
        ...shown,
        above: 0,
      },
    ];
  },
};

function train(lab: Lab, { key, weightDecay }: (typeof RUNS)[number], design: NormMattersDesign) {
  const recipe: RecipeInput = {
    model: {
      name: "small-convnet",
      normalization: { kind: "batch", deviation: "none" },
      weightNormalization: { kind: key },
    },
    data: design.data.convnet,
    batch: { size: design.batch },
    optimizer: { kind: "sgd", momentum: MOMENTUM, weightDecay },
    ...fallingRate(design.epochs.convnet),
  };
  return trainBriefly(lab, { recipe, testSamples: design.testSamples }).then(kept);
}
