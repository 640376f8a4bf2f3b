/** A hundred classes out of ten: pictures of two digits. */
import { type Dataset, datasetFromArrays, type TrainingData } from "../data/index.ts";
import { type Random, seededRandom, Tensor } from "../tensor/index.ts";

/** How many pairs there are. */
export interface DigitPairCounts {
  readonly train: number;
  readonly test: number;
}

/**
 * Puts two pictures beside each other, drawn at random: class 10 a + b for digits a and b. Training pairs are of training pictures, test
 * pairs of test pictures.
 *
 * Shapes: pictures [1, height, width] of ten classes -> [1, height, 2 width] of a hundred.
 *
 * @param data Pictures of one channel, ten classes, with a test part.
 */
export async function digitPairs(data: TrainingData, counts: DigitPairCounts, seed: number): Promise<TrainingData> {
  const [, height, width] = data.sampleShape;
  return {
    ...data,
    name: `pairs of ${data.name}`,
    train: await pairsOf(data.train, counts.train, seededRandom(seed)),
    validation: undefined,
    // The same for every seed: networks of all seeds are compared on them.
    test: await pairsOf(data.test!, counts.test, seededRandom(0)),
    classes: 100,
    classNames: undefined,
    sampleShape: [1, height!, 2 * width!],
  };
}

async function pairsOf(digits: Dataset, count: number, random: Random): Promise<Dataset> {
  const [, height, width] = (await digits.sample(0)).x!.shape;
  const pictures = new Uint8Array(count * height! * 2 * width!);
  const labels = new Int32Array(count);
  for (let pair = 0; pair < count; pair++) {
    for (const side of [0, 1]) {
      const index = random.integer(digits.count);
      const { data } = (await digits.sample(index)).x!;
      for (let row = 0; row < height!; row++) {
        const line = (data as Uint8Array).subarray(row * width!, (row + 1) * width!);
        pictures.set(line, ((pair * height! + row) * 2 + side) * width!);
      }
      labels[pair] = 10 * labels[pair]! + digits.labels![index]!;
    }
  }
  const x = new Tensor("uint8", [count, 1, height!, 2 * width!], pictures);
  return datasetFromArrays(new Map([["x", x]]), { description: `pairs of ${digits.description}`, labels });
}
