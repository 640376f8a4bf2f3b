/** Training data made of noise: for tests of what has nothing to do with where data come from. */
import { datasetFromArrays, type TrainingData } from "../data/index.ts";
import { int64, seededRandom, Tensor } from "../tensor/index.ts";

/** What is made; the rest has a default. */
export interface MadeData {
  readonly kind?: TrainingData["kind"];
  readonly sampleShape?: readonly number[];
  readonly classes?: number;
  readonly count?: number;
  readonly testCount?: number;
}

/** Makes data of bytes, floats or tokens; the label of a sample is its number modulo the classes. */
export function madeData({
  kind = "pictures",
  sampleShape = [1, 8, 8],
  classes = 10,
  count = 40,
  testCount = 20,
}: MadeData = {}): TrainingData {
  const random = seededRandom(7);
  const length = sampleShape.reduce((a, b) => a * b, 1);
  const part = (samples: number) => {
    const shape = [samples, ...sampleShape];
    const numbers = Array.from({ length: samples * length }, () => Math.floor(random.uniform() * 256));
    if (kind === "tokens") {
      const tokens = (shift: number) =>
        int64(
          numbers.map((number) => (number + shift) % classes),
          shape,
        );
      return datasetFromArrays(
        new Map([
          ["x", tokens(0)],
          ["label", tokens(1)],
        ]),
        { description: "made tokens" },
      );
    }
    const x =
      kind === "pictures"
        ? new Tensor("uint8", shape, Uint8Array.from(numbers))
        : new Tensor(
            "float32",
            shape,
            Float32Array.from(numbers, (number) => number / 100),
          );
    const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
    return datasetFromArrays(new Map([["x", x]]), { description: `made ${kind}`, labels });
  };
  const channels = Array.from({ length: sampleShape[0]! }, (_, channel) => channel);
  return {
    name: "made",
    kind,
    train: part(count),
    validation: undefined,
    test: part(testCount),
    classes,
    classNames: undefined,
    sampleShape,
    dtype: kind === "pictures" ? "uint8" : kind === "tokens" ? "int64" : "float32",
    normalization:
      kind === "tokens"
        ? undefined
        : {
            scale: kind === "pictures" ? 1 / 255 : 1,
            mean: channels.map((channel) => 0.4 + channel / 10),
            std: channels.map((channel) => 0.25 + channel / 20),
          },
    fingerprint: "made",
  };
}
