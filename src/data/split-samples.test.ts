import { describe, expect, it } from "vitest";
import { float32, toNumbers } from "../tensor/index.ts";
import { datasetFromArrays } from "./dataset.ts";
import { int64Numbers } from "./int64-numbers.ts";
import { withLabelNoise } from "./label-noise.ts";
import { nearestName } from "./nearest-name.ts";
import { splitSamples, stratifiedSubset } from "./split-samples.ts";
import { standardization } from "./standardization.ts";
import { makeVocabulary, tokenize, tokenWindows } from "./text-samples.ts";

/** 60 samples of class 0, 30 of class 1, 10 of class 2, sorted by class. */
const labels = Int32Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i < 90 ? 1 : 2));
const dataset = datasetFromArrays(
  new Map([
    [
      "x",
      float32(
        [100, 1],
        Array.from({ length: 100 }, (_, i) => i),
      ),
    ],
  ]),
  {
    description: "samples",
    labels,
  },
);
const countsOf = (some: Int32Array): number[] => [0, 1, 2].map((label) => some.filter((one) => one === label).length);

describe("splitSamples and stratifiedSubset", () => {
  it("keep the share of each class, and lose and double nothing", async () => {
    const { chosen, rest } = splitSamples(dataset, 20, 1);
    expect(countsOf(chosen.labels!)).toEqual([12, 6, 2]);
    expect(countsOf(rest.labels!)).toEqual([48, 24, 8]);
    const all = [];
    for (const part of [chosen, rest]) {
      for (let i = 0; i < part.count; i++) all.push(toNumbers((await part.sample(i)).x!)[0]!);
    }
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const { x } = await rest.batch!([0, 5]);
    expect(toNumbers(x!)[1]).toBe(toNumbers((await rest.sample(5)).x!)[0]);
  });

  it("give the largest remainders what rounding leaves over", () => {
    expect(countsOf(stratifiedSubset(dataset, 7).labels!)).toEqual([4, 2, 1]);
  });

  it("draw by seed", () => {
    const names = (seed: number) => {
      const part = splitSamples(dataset, 10, seed).chosen;
      return Array.from({ length: 10 }, (_, i) => part.sampleName(i)).join();
    };
    expect(names(0)).toBe(names(0));
    expect(names(0)).not.toBe(names(1));
  });

  it("refuse parts that are all or nothing", () => {
    expect(() => splitSamples(dataset, 100)).toThrow("samples: a part must have from 1 to 99 of 100 samples, got 100.");
    expect(() => stratifiedSubset(dataset, 0)).toThrow("data: limit must be a whole number above zero, got 0.");
  });
});

describe("withLabelNoise", () => {
  it("replaces exactly the share, each by another class, uniformly", () => {
    const many = datasetFromArrays(new Map([["x", float32([3000, 1], new Float32Array(3000))]]), {
      description: "many",
      labels: new Int32Array(3000).fill(1),
    });
    const noisy = withLabelNoise(many, 0.5, { classes: 3, seed: 4 }).labels!;
    const [zero, one, two] = countsOf(noisy) as [number, number, number];
    expect(one).toBe(1500);
    // 1,500 draws of two classes: 750 each with standard deviation 19; five of them.
    expect(Math.abs(zero - two)).toBeLessThan(2 * 97);
    expect(many.labels!.every((label) => label === 1)).toBe(true);
    expect(() => withLabelNoise(many, 2, { classes: 3 })).toThrow(
      "data: label noise must be a share from 0 to 1, got 2.",
    );
  });
});

describe("standardization", () => {
  it("gives mean and deviation of each channel, large offsets and constants included", async () => {
    const some = datasetFromArrays(
      new Map([["x", float32([2, 3, 2], [1, 3, 5, 5, 1e6, 1e6 + 2, 5, 7, 5, 5, 1e6, 1e6 + 2])]]),
      {
        description: "some",
      },
    );
    const { mean, std, scale } = await standardization(some, 3, 0.5);
    expect([scale, mean]).toEqual([0.5, [2, 2.5, 500_000.5]]);
    expect(std[0]).toBeCloseTo(0.5 * Math.sqrt(5), 12);
    expect(std.slice(1)).toEqual([1, 0.5]);
  });
});

describe("text", () => {
  it("has the characters of the training text as tokens, and one for all others", () => {
    const { tokens, encode } = makeVocabulary("hello", "character");
    expect(tokens).toEqual(["e", "h", "l", "o", "<unk>"]);
    expect([...encode("hex😀")]).toEqual([1, 0, 4, 4]);
  });

  it("has words by frequency, line ends among them, and keeps the most frequent", () => {
    expect(tokenize("a b\r\n  c\n", "word")).toEqual(["a", "b", "\n", "c", "\n"]);
    const { tokens, encode } = makeVocabulary("the cat the dog a cat the", "word", 3);
    expect(tokens).toEqual(["the", "cat", "<unk>"]);
    expect([...encode("a cat")]).toEqual([2, 1]);
  });

  it("comes in windows with the next token of each", async () => {
    const windows = tokenWindows(Int32Array.from([0, 1, 2, 3, 4, 5, 6]), 3, "numbers");
    expect(windows.count).toBe(2);
    const { x, label } = await windows.sample(1);
    expect([toNumbers(x!), toNumbers(label!)].map((all) => [...all])).toEqual([
      [3, 4, 5],
      [4, 5, 6],
    ]);
    const batch = await windows.batch!([1, 0]);
    expect([...toNumbers(batch.label!)]).toEqual([4, 5, 6, 1, 2, 3]);
    expect(() => tokenWindows(Int32Array.of(1, 2, 3), 3, "few")).toThrow(
      "few: must have at least 4 tokens for one sample of 3, got 3. Choose a smaller length.",
    );
  });
});

describe("int64Numbers", () => {
  it("keeps signs", () => {
    expect([...(int64Numbers([5, -1, -(2 ** 31), 2 ** 31 - 1]).data as BigInt64Array)]).toEqual([
      5n,
      -1n,
      -(2n ** 31n),
      2n ** 31n - 1n,
    ]);
  });
});

describe("nearestName", () => {
  it("finds what was meant, and nothing when nothing is near", () => {
    const names = ["mnist", "fashion-mnist", "cifar10", "cifar100"];
    expect(["Cifar-10", "minst", "fashionmnist"].map((name) => nearestName(name, names))).toEqual([
      "cifar10",
      "mnist",
      "fashion-mnist",
    ]);
    expect(nearestName("imagenet", names)).toBeUndefined();
  });
});
