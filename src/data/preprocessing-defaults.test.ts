import { expect, test } from "vitest";
import type { ModelInput } from "./model-input.ts";
import { completePreprocessing, IMAGENET_MEAN, IMAGENET_STD } from "./preprocessing-defaults.ts";

const input = (shape: ModelInput["shape"], dtype: ModelInput["dtype"] = "float32"): ModelInput => ({
  name: "x",
  dtype,
  shape,
});
const MNIST = { height: 28, width: 28, channels: 1 } as const;
const CIFAR = { height: 32, width: 32, channels: 3 } as const;

test("an ImageNet model gets short side 256, crop 224, ImageNet's mean and std", () => {
  expect(completePreprocessing({}, input(["N", 3, 224, 224]))).toEqual({
    resize: 256,
    crop: 224,
    interpolation: "bilinear",
    scale: 1 / 255,
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    layout: "nchw",
    channels: "rgb",
    dtype: "float32",
  });
});

test.each([
  ["channels last", input([null, 224, 224, 3]), {}, undefined, { layout: "nhwc", resize: 256, crop: 224 }],
  ["side 299", input([1, 3, 299, 299]), {}, undefined, { resize: 342, crop: 299 }],
  ["an oblong input", input([1, 3, 120, 160]), {}, undefined, { resize: [120, 160], crop: null }],
  ["an open size", input(["N", 3, "H", "W"]), {}, undefined, { resize: 256, crop: 224 }],
  ["an open size with a large crop", input(["N", 3, "H", "W"]), { crop: 300 }, undefined, { resize: 300, crop: 300 }],
  ["luma of open size", input(["N", 1, "H", "W"]), {}, undefined, { channels: "gray", mean: [0], std: [1], crop: 224 }],
  ["a small input", input(["N", 3, 32, 32]), {}, undefined, { resize: 32, crop: 32 }],
  ["bytes", input(["N", 3, 224, 224], "uint8"), {}, undefined, { scale: 1, mean: [0], std: [1], dtype: "uint8" }],
  ["blue first", input(["N", 3, 224, 224]), { channels: "bgr" }, undefined, { mean: [0.406, 0.456, 0.485] }],
  [
    "MNIST",
    input([1, 1, 28, 28]),
    {},
    MNIST,
    { resize: null, crop: null, channels: "gray", scale: 1 / 255, mean: [0] },
  ],
  ["MNIST for a model of rank 3", input(["N", 28, 28]), {}, MNIST, { resize: null, crop: null, channels: "gray" }],
  ["MNIST for a perceptron", input(["N", 784]), {}, MNIST, { resize: null, crop: null, channels: "gray" }],
  ["MNIST for LeNet of side 32", input(["N", 1, 32, 32]), {}, MNIST, { resize: [32, 32], crop: null }],
  ["CIFAR", input(["N", 3, 32, 32]), {}, CIFAR, { resize: null, crop: null, mean: IMAGENET_MEAN }],
  ["an unknown shape", input(undefined), {}, undefined, { layout: "nchw", channels: "rgb", crop: 224 }],
] as const)("%s gets the defaults that fit", (_, model, settings, stored, expected) => {
  expect(completePreprocessing(settings, model, stored)).toMatchObject(expected);
});

test("an input that takes no pictures is refused", () => {
  expect(() => completePreprocessing({}, input(["N", 2048], "int32"))).toThrow(
    "pictures: the model's input must take pictures ([batch, channels, height, width]), got x int32 [N, 2048].",
  );
  expect(() => completePreprocessing({}, input(["N", 4, 64, 64]))).toThrow("rgb gives 3 channels, which must be");
  expect(() => completePreprocessing({}, input(["N", 3, 8, 8], "string"))).toThrow("must be of a type pictures");
});

test("settings that do not fit the model are refused", () => {
  const model = input(["N", 3, 224, 224]);
  expect(() => completePreprocessing({ channels: "gray" }, model)).toThrow("gray gives 1 channel, which must be what");
  expect(() => completePreprocessing({ mean: [1, 2] }, model)).toThrow(
    "mean must have one number or one for each of 3",
  );
  expect(() => completePreprocessing({ crop: 200 }, model)).toThrow(
    "resize and crop must give the 224 x 224 pixels the model takes, got 200 x 200.",
  );
});
