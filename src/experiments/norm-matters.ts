/** Norm matters: what weight decay does before a normalization, norms other than L2, and weights of fixed length. */
import type { Experiment } from "./experiment.ts";
import { decayStudy } from "./norm-matters/decay.ts";
import type { NormMattersDesign, NormMattersResult } from "./norm-matters/design.ts";
import { deviationStudy } from "./norm-matters/deviations.ts";
import { halfPrecisionStudy } from "./norm-matters/half-precision.ts";
import { weightLengthStudy } from "./norm-matters/weight-lengths.ts";

const STUDIES = [decayStudy, deviationStudy, halfPrecisionStudy, weightLengthStudy] as const;

export const normMatters: Experiment<NormMattersDesign, NormMattersResult> = {
  id: "norm-matters",
  title: "Norm matters: weight decay, norms and learning rates",
  claim:
    "Before batch normalization, weight decay only keeps the effective learning rate up; rates corrected for each channel, or norms that are scheduled, do the same without it. L1, top-k and L-infinity normalize as well as L2, and L1 in half precision where L2 fails. Weights of bounded norm come near batch normalization.",
  source: {
    title:
      "Hoffer, Banner, Golan, Soudry 2018, Norm matters: efficient and accurate normalization schemes in deep networks",
    url: "https://arxiv.org/abs/1803.01814",
    where: "sections 2 to 4 and their figures",
  },
  published: {
    note: "Top-1 on ImageNet: ResNet-50 with batch norm, bounded weight norm and weight norm (section 4); ResNet-18 with other deviations, from the final errors of the published curves (read to 0.5 points). The study of weight decay was published as curves only: VGG-11 on CIFAR-10 for 80 epochs. Other networks and data: orders are comparable, numbers are not.",
    numbers: { "batch norm": 75.3, "bounded weight norm": 73.8, "weight norm": 67 },
  },
  version: 2,
  scales: {
    smoke: {
      description: "A tiny perceptron and convnet for a few passes over the 600 pictures that come with Modicum.",
      seeds: 1,
      minutes: 0.5,
      data: ["example"],
      design: {
        data: { perceptron: { set: "example" }, convnet: { set: "example", limit: 100 } },
        epochs: { decay: 5, perceptron: 2, convnet: 1 },
        batch: 25,
        testSamples: 100,
        seconds: { decay: 1, perceptron: 0.4, convnet: 0.7 },
      },
    },
    small: {
      description:
        "MLP 784-128-128-10 with batch norm on 8,000 pictures of MNIST: weight decay for 12 epochs, with ten times the published decay for the shorter run, all else for 5; small convnet on 8,000 pictures of Fashion-MNIST for 5 epochs.",
      seeds: 3,
      minutes: 20,
      data: ["mnist", "fashion-mnist"],
      design: {
        data: {
          perceptron: { set: "mnist", limit: 8000 },
          convnet: { set: "fashion-mnist", limit: 8000 },
        },
        epochs: { decay: 12, perceptron: 5, convnet: 5 },
        batch: 128,
        testSamples: 10_000,
        seconds: { decay: 8, perceptron: 4, convnet: 20 },
      },
    },
    full: {
      description:
        "MLP 784-128-128-10 with batch norm on all of MNIST for 40 epochs; small convnet on all of Fashion-MNIST for 30 epochs, from three seeds. The published runs are VGG-11 on CIFAR-10 and ResNets on ImageNet.",
      seeds: 3,
      minutes: 600,
      data: ["mnist", "fashion-mnist"],
      design: {
        data: { perceptron: { set: "mnist" }, convnet: { set: "fashion-mnist" } },
        epochs: { decay: 40, perceptron: 40, convnet: 30 },
        batch: 128,
        testSamples: 10_000,
        seconds: { decay: 120, perceptron: 120, convnet: 800 },
      },
    },
  },

  units: (design) => STUDIES.flatMap((study) => study.units(design)),

  findings: (results, design) => ({
    tables: STUDIES.flatMap((study) => study.tables(results, design)),
    plots: STUDIES.flatMap((study) => study.plots(results, design)),
    claims: STUDIES.flatMap((study) => study.claims(results, design)),
    notes: [
      "Learning rates fall to a tenth after 60 % and 85 % of the epochs.",
      "Weight decay off means off for all parameters but those of the last layer, as published; on means on for all.",
      "Norms are recorded at the end of each epoch, and hold for all of its steps in the runs that follow them.",
      "Half precision is simulated: every result of the forward and backward pass is rounded to float16; weights and their update are float32. Epsilon is 1e-12, so that float32 passes the same numbers; biases before batch norms, which cancel them, stay 0. Trained networks are measured in float32. A run whose numbers are not finite has no picture right.",
      "Accuracies are those of the last epoch.",
    ],
  }),
};
