/** LeNet. */
import * as nn from "../nn/index.ts";
import { defineModel, type ModelDefinition, scaled } from "./model.ts";

/** Caffe's `xavier`: uniform with variance 1 / inputs. */
const start = { weight: nn.heUniform({ nonlinearity: "linear" }), bias: nn.zeros() };

/** LeNet-5 as Caffe has it: max pools for trained averages, one ReLU for tangents, a linear layer for radial functions. */
export const lenet: ModelDefinition = defineModel({
  name: "lenet",
  title: "LeNet-5 in Caffe's variant",
  source: "LeCun et al. 1998; examples/mnist/lenet_train_test.prototxt of Caffe",
  task: "classification",
  sampleShape: [1, 28, 28],
  classes: 10,
  parameters: 431_080,
  options: ["normalization", "activation"],
  build: ({ classes, width, normalization, activation = nn.relu, head = (count) => nn.linear(count, start) }) => {
    const normalized = (name: string) => (normalization ? { [name]: normalization() } : {});
    return nn.sequential({
      conv1: nn.conv({ channels: scaled(20, width), kernel: 5, ...start }),
      ...normalized("norm1"),
      pool1: nn.maxPool({ kernel: 2 }),
      conv2: nn.conv({ channels: scaled(50, width), kernel: 5, ...start }),
      ...normalized("norm2"),
      pool2: nn.maxPool({ kernel: 2 }),
      flatten: nn.flatten(),
      linear: nn.linear(scaled(500, width), start),
      ...normalized("norm3"),
      relu: activation(),
      head: head(classes),
    });
  },
});
