/** The register of models: add a model here and recipes, the command line and docs/models.md know it. */
import { charLstm } from "./char-lstm.ts";
import { charTransformers } from "./char-transformer.ts";
import { f1, shallowConvnets } from "./large-batch.ts";
import { lenet } from "./lenet.ts";
import { mlp } from "./mlp.ts";
import { mobilenets } from "./mobilenet.ts";
import type { ModelDefinition } from "./model.ts";
import { cifarResnets, imagenetResnets } from "./resnet.ts";
import { smallConvnet } from "./small-convnet.ts";
import { vggs } from "./vgg.ts";
import { wideResnet } from "./wide-resnet.ts";

/** All models by name. */
export const models: Readonly<Record<string, ModelDefinition>> = Object.fromEntries(
  [
    mlp,
    lenet,
    f1,
    ...shallowConvnets,
    smallConvnet,
    ...cifarResnets,
    wideResnet,
    ...vggs,
    ...imagenetResnets,
    ...mobilenets,
    charLstm,
    ...charTransformers,
  ].map((model) => [model.name, model]),
);
