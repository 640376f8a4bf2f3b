/** Cases of resampling. */
import type { Attributes } from "../../src/build/index.ts";
import { float32, int64, tensorOf } from "../../src/tensor/index.ts";
import { type Draw, type GradientCase, normal } from "./gradient-case.ts";

interface ResizeCase {
  readonly sizes?: readonly number[];
  readonly scales?: readonly number[];
  readonly roi?: readonly number[];
  readonly attributes: Attributes;
  readonly shape?: readonly number[];
}

function resizeCase(title: string, { sizes, scales, roi, attributes, shape = [1, 2, 4, 5] }: ResizeCase): GradientCase {
  return {
    title: `Resize ${title}`,
    covers: ["Resize"],
    inputs: [normal(shape)],
    build: (ops, x) =>
      ops.emit(
        "Resize",
        [
          x,
          roi && ops.constant(float32([roi.length], roi)),
          scales && ops.constant(float32([scales.length], scales)),
          sizes && ops.constant(int64(sizes)),
        ],
        attributes,
      ),
  };
}

const coordinates = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
] as const;

/**
 * Places between elements, inside and outside: at the elements themselves the slope jumps.
 *
 * Shape: [...shape, axes]. Each coordinate is that of an element from -2 to 1 beyond the end, plus 0.1 to 0.9.
 */
function betweenElements(shape: readonly number[], lengths: readonly number[], aligned: boolean): Draw {
  return (random) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const values = Array.from({ length: count }, () =>
      lengths.toReversed().map((length) => {
        const position = random.integer(length + 3) - 2 + 0.1 + 0.8 * random.uniform();
        return aligned ? (2 * position) / (length - 1) - 1 : (2 * position + 1) / length - 1;
      }),
    ).flat();
    return tensorOf("float64", [...shape, lengths.length], values);
  };
}

function gridCase(title: string, attributes: Attributes & { readonly align_corners?: number }): GradientCase {
  return {
    title: `GridSample ${title}`,
    covers: ["GridSample"],
    inputs: [normal([1, 2, 3, 4]), betweenElements([1, 2, 4], [3, 4], attributes.align_corners === 1)],
    build: (ops, x, grid) => ops.emit("GridSample", [x, grid], attributes),
    opset: 20,
  };
}

/** Resampling. */
export const resizeCases: readonly GradientCase[] = [
  ...coordinates.flatMap((coordinate_transformation_mode) => [
    ...(["linear", "cubic"] as const).flatMap((mode) => [
      resizeCase(`${mode} ${coordinate_transformation_mode} to a larger size`, {
        sizes: [1, 2, 7, 8],
        attributes: { mode, coordinate_transformation_mode },
      }),
      resizeCase(`${mode} ${coordinate_transformation_mode} by a scale below 1`, {
        scales: [1, 1, 0.6, 0.5],
        attributes: { mode, coordinate_transformation_mode },
      }),
    ]),
    ...(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const).map((nearest_mode) =>
      resizeCase(`nearest ${nearest_mode} ${coordinate_transformation_mode}`, {
        sizes: [1, 2, 8, 3],
        attributes: { mode: "nearest", nearest_mode, coordinate_transformation_mode },
      }),
    ),
  ]),
  resizeCase("nearest by whole numbers", {
    scales: [1, 1, 2, 3],
    attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  }),
  resizeCase("cubic without what is outside", {
    sizes: [1, 2, 6, 3],
    attributes: { mode: "cubic", exclude_outside: 1, cubic_coeff_a: -0.5 },
  }),
  ...(["linear", "cubic"] as const).map((mode) =>
    resizeCase(`${mode} with a filter as wide as the shrinking`, {
      sizes: [1, 1, 3, 4],
      shape: [1, 1, 7, 8],
      attributes: { mode, antialias: 1 },
    }),
  ),
  resizeCase("of named axes", {
    sizes: [3, 7],
    attributes: { mode: "linear", axes: [3, 2] },
  }),
  resizeCase("that keeps the aspect and fits inside", {
    sizes: [8, 9],
    attributes: { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
  }),
  resizeCase("that keeps the aspect and covers", {
    sizes: [8, 9],
    attributes: { mode: "cubic", axes: [2, 3], keep_aspect_ratio_policy: "not_smaller" },
  }),
  ...(["nearest", "linear", "cubic"] as const).map((mode) =>
    resizeCase(`${mode} of a crop that reaches outside`, {
      sizes: [1, 2, 3, 4],
      roi: [0, 0, 0.2, -0.3, 1, 1, 0.9, 1.2],
      attributes: { mode, coordinate_transformation_mode: "tf_crop_and_resize", extrapolation_value: 2.5 },
    }),
  ),
  resizeCase("linear in one dimension", {
    shape: [2, 2, 5],
    sizes: [2, 2, 8],
    attributes: { mode: "linear" },
  }),
  resizeCase("to one place", {
    sizes: [1, 2, 1, 1],
    attributes: { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" },
  }),
  ...(["zeros", "border", "reflection"] as const).flatMap((padding_mode) =>
    [0, 1].flatMap((align_corners) =>
      (["linear", "cubic"] as const).map((mode) =>
        gridCase(`${mode} with ${padding_mode}${align_corners ? ", corners aligned" : ""}`, {
          mode,
          padding_mode,
          align_corners,
        }),
      ),
    ),
  ),
  gridCase("nearest", { mode: "nearest", padding_mode: "border" }),
  {
    title: "GridSample in three dimensions",
    covers: ["GridSample"],
    inputs: [normal([1, 1, 2, 3, 3]), betweenElements([1, 1, 2, 2], [2, 3, 3], false)],
    build: (ops, x, grid) => ops.emit("GridSample", [x, grid], { mode: "linear" }),
    opset: 20,
  },
  {
    title: "GridSample of two pictures, twice differentiated",
    covers: ["GridSample"],
    inputs: [normal([2, 1, 3, 3]), betweenElements([2, 1, 3], [3, 3], false)],
    build: (ops, x, grid) => ops.square(ops.emit("GridSample", [x, grid], { mode: "cubic" })),
    opset: 20,
    second: true,
  },
  ...[0, 1].map(
    (align_corners): GradientCase => ({
      title: `AffineGrid in two dimensions${align_corners ? ", corners aligned" : ""}`,
      covers: ["AffineGrid"],
      inputs: [normal([2, 2, 3])],
      build: (ops, theta) => ops.emit("AffineGrid", [theta, ops.constant(int64([2, 1, 2, 4]))], { align_corners }),
      opset: 20,
    }),
  ),
  {
    title: "AffineGrid in three dimensions",
    covers: ["AffineGrid"],
    inputs: [normal([1, 3, 4])],
    build: (ops, theta) => ops.emit("AffineGrid", [theta, ops.constant(int64([1, 1, 2, 2, 3]))]),
    opset: 20,
  },
];
