/** Recipes by name, as plain data: one for each network, made for short budgets on a laptop's processor. */
import type { RecipeInput } from "./recipe.ts";

type Written = Omit<RecipeInput, "model" | "data">;
type Groups = NonNullable<NonNullable<RecipeInput["optimizer"]>["groups"]>;

/** Biases are not pulled to 0: they are few, and it costs accuracy in short runs. */
const NO_BIAS_DECAY: Groups = [{ match: "(^|\\.)bias$", weightDecay: 0 }];

const CROP_AND_FLIP = [{ kind: "crop", padding: 4 }, { kind: "flip" }] as const;

/** SGD with Nesterov's momentum along one cycle: the fastest way to a good accuracy in few epochs (arXiv:1708.07120). */
function oneCycle(
  learningRate: number,
  { weightDecay, epochs, labelSmoothing = 0 }: { weightDecay: number; epochs: number; labelSmoothing?: number },
): Written {
  return {
    epochs,
    batch: { size: 128 },
    optimizer: { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay, groups: NO_BIAS_DECAY },
    learningRate,
    schedule: { kind: "one-cycle", riseFraction: 0.25 },
    ...(labelSmoothing > 0 && { loss: { labelSmoothing } }),
  };
}

/** A network for CIFAR, on shifted and mirrored pictures. */
function cifar(name: string, training: Written, set = "cifar10"): RecipeInput {
  return { model: { name }, data: { set, augment: [...CROP_AND_FLIP] }, ...training };
}

/** A network for pictures of 224 by 224 in a folder for each class. */
function pictures(name: string, training: Written): RecipeInput {
  const augment = [{ kind: "crop", padding: 16 } as const, { kind: "flip" } as const];
  return { model: { name }, data: { set: "folder", augment }, ...training };
}

/** A language model of characters. One pass over the text is an epoch. */
function characters(name: string, length: number, training: Written): RecipeInput {
  return { model: { name }, data: { set: "text", length }, ...training };
}

const residual = (epochs: number): Written => oneCycle(0.2, { weightDecay: 5e-4, epochs });
const plain = (learningRate: number, epochs: number): Written => oneCycle(learningRate, { weightDecay: 5e-4, epochs });

const transformer: Written = {
  epochs: 3,
  batch: { size: 32 },
  optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.99, weightDecay: 0.1 },
  learningRate: 1e-3,
  schedule: { kind: "cosine", minimum: 1e-4 },
  warmup: 0.1,
  clip: { norm: 1 },
};

/** How an imported model is trained further: small steps, so that what it has learned is not lost. */
export const fineTuning: Omit<RecipeInput, "model"> = {
  data: { set: "folder" },
  ...oneCycle(0.01, { weightDecay: 1e-4, epochs: 5 }),
  batch: { size: 32 },
};

/**
 * Named recipes, each with the family of data sets that it was made for: give the place of the data, and change what you like.
 *
 * @example
 * const recipe = parseRecipe({ ...recipes.resnet20, data: { ...recipes.resnet20.data, set: "cifar10:data/cifar10" } }, "mine");
 */
export const recipes = {
  mlp: {
    model: { name: "mlp" },
    data: { set: "mnist" },
    ...oneCycle(0.1, { weightDecay: 1e-4, epochs: 10 }),
  },
  lenet: {
    model: { name: "lenet" },
    data: { set: "mnist" },
    ...oneCycle(0.05, { weightDecay: 1e-4, epochs: 5 }),
  },
  f1: {
    model: { name: "f1" },
    data: { set: "mnist" },
    ...oneCycle(0.1, { weightDecay: 5e-4, epochs: 10 }),
  },
  "small-convnet": {
    model: { name: "small-convnet" },
    data: { set: "fashion-mnist", augment: [{ kind: "crop", padding: 2 }, { kind: "flip" }] },
    ...oneCycle(0.3, { weightDecay: 2e-4, epochs: 10 }),
  },
  c1: cifar("c1", plain(0.05, 10)),
  c3: cifar("c3", plain(0.05, 10), "cifar100"),
  resnet20: cifar("resnet20", residual(10)),
  resnet32: cifar("resnet32", residual(10)),
  resnet44: cifar("resnet44", residual(10)),
  resnet56: cifar("resnet56", residual(10)),
  "wrn-16-4": cifar("wrn-16-4", oneCycle(0.1, { weightDecay: 5e-4, epochs: 10, labelSmoothing: 0.1 })),
  vgg11: cifar("vgg11", plain(0.02, 10)),
  "vgg11-bn": cifar("vgg11-bn", plain(0.1, 10)),
  vgg16: cifar("vgg16", plain(0.01, 10)),
  "vgg16-bn": cifar("vgg16-bn", plain(0.1, 10)),
  "resnet18-cifar": cifar("resnet18-cifar", oneCycle(0.1, { weightDecay: 5e-4, epochs: 10, labelSmoothing: 0.1 })),
  "mobilenetv2-cifar": cifar("mobilenetv2-cifar", oneCycle(0.1, { weightDecay: 1e-4, epochs: 10 })),
  resnet18: pictures("resnet18", { ...plain(0.05, 20), batch: { size: 32 } }),
  resnet50: pictures("resnet50", { ...plain(0.05, 20), batch: { size: 32, chunks: 2 } }),
  mobilenetv2: pictures("mobilenetv2", { ...oneCycle(0.05, { weightDecay: 4e-5, epochs: 20 }), batch: { size: 32 } }),
  "char-lstm": characters("char-lstm", 50, {
    epochs: 3,
    batch: { size: 64 },
    optimizer: { kind: "adam" },
    learningRate: 2e-3,
    schedule: { kind: "cosine" },
    clip: { norm: 5 },
  }),
  "char-transformer": characters("char-transformer", 256, transformer),
  "char-transformer-small": characters("char-transformer-small", 64, { ...transformer, batch: { size: 64 } }),
} satisfies Readonly<Record<string, RecipeInput>>;
