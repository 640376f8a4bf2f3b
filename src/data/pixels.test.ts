import { expect, test } from "vitest";
import { halfToNumber } from "../tensor/index.ts";
import { planGeometry } from "./geometry.ts";
import { pixelsToTensor } from "./pixels.ts";
import type { Preprocessing } from "./preprocessing.ts";

const plain: Preprocessing = {
  resize: null,
  crop: null,
  interpolation: "bilinear",
  scale: 1,
  mean: [0],
  std: [1],
  layout: "nchw",
  channels: "rgb",
  dtype: "float32",
};
const twoPixels = { size: [1, 2], channels: 3, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;

test.each([
  ["nchw rgb", {}, [3, 1, 2], [1, 4, 2, 5, 3, 6]],
  ["nhwc rgb", { layout: "nhwc" }, [1, 2, 3], [1, 2, 3, 4, 5, 6]],
  ["nchw bgr", { channels: "bgr" }, [3, 1, 2], [3, 6, 2, 5, 1, 4]],
  ["mean and std by channel", { mean: [1, 2, 3], std: [1, 1, 0.5] }, [3, 1, 2], [0, 3, 0, 3, 0, 6]],
] as const)("%s", (_, settings, shape, values) => {
  const tensor = pixelsToTensor(twoPixels, { ...plain, ...settings });
  expect(tensor.shape).toEqual(shape);
  expect([...(tensor.data as Float32Array)]).toEqual(values);
});

test("each step is rounded to float32, as NumPy does it with float32 arrays", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const settings = { ...plain, channels: "gray", scale: 1 / 255, mean: [0.485], std: [0.229] } as const;
  const tensor = pixelsToTensor({ size: [1, 256], channels: 1, bytes }, settings);
  const m = Math.fround(0.485);
  const s = Math.fround(0.229);
  const expected = Float32Array.from(bytes, (byte) => Math.fround(Math.fround(Math.fround(byte / 255) - m) / s));
  expect(tensor.data).toEqual(expected);
});

test("gray pictures fill three channels, and colour becomes Pillow's luma", () => {
  const gray = pixelsToTensor({ size: [1, 1], channels: 1, bytes: Uint8Array.of(9) }, plain);
  expect([...(gray.data as Float32Array)]).toEqual([9, 9, 9]);
  // Pillow: Image.new("RGB", (1, 1), (10, 200, 30)).convert("L").getpixel((0, 0)) == 124 (0.299 R + 0.587 G + 0.114 B = 123.81)
  const luma = pixelsToTensor(
    { size: [1, 1], channels: 3, bytes: Uint8Array.of(10, 200, 30) },
    { ...plain, channels: "gray" },
  );
  expect([...(luma.data as Float32Array)]).toEqual([124]);
});

test("inputs of other types get their own numbers", () => {
  const one = { size: [1, 1], channels: 1, bytes: Uint8Array.of(200) } as const;
  const gray = { ...plain, channels: "gray" } as const;
  expect(pixelsToTensor(one, { ...gray, dtype: "uint8" }).data).toEqual(Uint8Array.of(200));
  expect(pixelsToTensor(one, { ...gray, dtype: "int8" }).data).toEqual(Int8Array.of(127));
  expect(pixelsToTensor(one, { ...gray, dtype: "int8", mean: [128] }).data).toEqual(Int8Array.of(72));
  expect(pixelsToTensor(one, { ...gray, dtype: "int64" }).data).toEqual(BigInt64Array.of(200n));
  expect(halfToNumber(pixelsToTensor(one, { ...gray, dtype: "float16", scale: 1 / 400 }).data[0] as number)).toBe(0.5);
});

test("resizing keeps the proportions, crops begin at the floor of half the rest", () => {
  expect(planGeometry({ resize: 256, crop: 224 }, [256, 341], "x")).toEqual({
    resized: null,
    crop: { left: 58, top: 16 },
    size: [224, 224],
  });
  expect(planGeometry({ resize: 256, crop: 224 }, [500, 375], "x")).toMatchObject({ resized: [341, 256] });
  expect(planGeometry({ resize: [10, 20], crop: null }, [500, 375], "x")).toEqual({
    resized: [10, 20],
    crop: null,
    size: [10, 20],
  });
  expect(planGeometry({ resize: null, crop: 32 }, [32, 32], "x")).toEqual({
    resized: null,
    crop: null,
    size: [32, 32],
  });
});

test("a picture smaller than the crop is refused", () => {
  expect(() => planGeometry({ resize: null, crop: 224 }, [200, 300], "cat.jpg")).toThrow(
    "cat.jpg: must be at least the crop of 224 x 224 pixels, got 200 x 300.",
  );
});
