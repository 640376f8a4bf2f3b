import { expect, test } from "vitest";
import { mergePreprocessing, parsePreprocessing, readPreprocessing } from "./preprocessing.ts";

test("our own keys are read; one number stands for all channels", () => {
  const text = '{"resize": 256, "crop": [224, 200], "mean": 0.5, "std": [0.1, 0.2, 0.3], "layout": "nhwc"}';
  expect(readPreprocessing(text, "p.json")).toEqual({
    resize: 256,
    crop: [224, 200],
    mean: [0.5],
    std: [0.1, 0.2, 0.3],
    layout: "nhwc",
  });
});

test.each([
  [
    "an unknown key",
    { mena: 1 },
    /p\.json: must be valid preprocessing, got Unrecognized key: "mena"\. Known keys: resize/,
  ],
  ["a size of words", { resize: "big" }, /got resize: must be a length, \[height, width\] or null/],
  ["a negative size", { resize: -1 }, /got resize: Too small: expected number to be >0/],
  ["a zero std", { std: [1, 0, 1] }, /got std: must be above zero/],
  ["a wrong layout", { layout: "chw" }, /got layout: /],
  ["a list", [1], /must be valid preprocessing/],
])("%s is refused by name", (_, json, message) => {
  expect(() => parsePreprocessing(json, "p.json")).toThrow(message);
});

test("text that is no JSON is refused", () => {
  expect(() => readPreprocessing("{", "p.json")).toThrow("p.json: must be JSON, got text that is not");
});

test("Hugging Face's configuration of a ResNet (ConvNext processor) is understood", () => {
  // microsoft/resnet-50, preprocessor_config.json
  const json = {
    crop_pct: 0.875,
    do_normalize: true,
    do_resize: true,
    feature_extractor_type: "ConvNextFeatureExtractor",
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
    resample: 3,
    size: 224,
  };
  expect(parsePreprocessing(json, "p.json")).toEqual({
    resize: 256,
    crop: 224,
    interpolation: "bicubic",
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
});

test("a ConvNext processor crops 224 of 256 even when its file does not say so, and nothing from 384 on", () => {
  const json = { image_processor_type: "ConvNextImageProcessor", image_mean: 0.5, size: { shortest_edge: 224 } };
  expect(parsePreprocessing(json, "p")).toMatchObject({ resize: 256, crop: 224 });
  const large = { ...json, size: { shortest_edge: 384 } };
  expect(parsePreprocessing(large, "p")).toMatchObject({ resize: [384, 384], crop: null });
});

test("Hugging Face's configuration of a MobileNet and of a ViT are understood", () => {
  // google/mobilenet_v2_1.0_224 and google/vit-base-patch16-224
  const mobilenet = {
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_processor_type: "MobileNetV2ImageProcessor",
    image_std: [0.5, 0.5, 0.5],
    resample: 2,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 256 },
  };
  expect(parsePreprocessing(mobilenet, "p")).toMatchObject({ resize: 256, crop: [224, 224], mean: [0.5, 0.5, 0.5] });
  const vit = { do_resize: true, size: { height: 224, width: 224 }, do_rescale: false, do_normalize: false };
  expect(parsePreprocessing(vit, "p")).toMatchObject({ resize: [224, 224], crop: null, scale: 1, mean: [0], std: [1] });
});

test("Hugging Face's padding and longest edge, which cannot be expressed, are refused", () => {
  expect(() => parsePreprocessing({ do_pad: true, image_mean: 0 }, "p")).toThrow("p: do_pad must be false, got true");
  expect(() => parsePreprocessing({ do_resize: true, size: { shortest_edge: 800, longest_edge: 1333 } }, "p")).toThrow(
    "p: must be an image processor with a fixed size, got size:",
  );
});

test("the first to state a field wins; undefined states nothing, null does", () => {
  const merged = mergePreprocessing(
    { crop: undefined, resize: null },
    { crop: 10, resize: 20, scale: 1 },
    { scale: 2 },
  );
  expect(merged).toEqual({ resize: null, crop: 10, scale: 1 });
});
