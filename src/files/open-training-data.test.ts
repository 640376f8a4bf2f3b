import { describe, expect, test } from "vitest";
import { openTrainingData } from "./open-training-data.ts";

describe("openTrainingData", () => {
  test("takes validation samples, a limit and true labels, each class in proportion", async () => {
    const whole = await openTrainingData("example");
    const data = await openTrainingData("example", {
      validation: 0.2,
      limit: 100,
      testLimit: 50,
      labelNoise: 0.4,
      seed: 3,
    });
    expect([data.train.count, data.validation!.count, data.test!.count]).toEqual([100, 100, 50]);
    const countOf = (labels: Int32Array, label: number) => labels.filter((one) => one === label).length;
    for (let label = 0; label < 10; label++) {
      // In proportion, but for rounding.
      const [expected, inTest] = [whole.train, whole.test!].map(({ labels }) => countOf(labels!, label)) as [
        number,
        number,
      ];
      expect(Math.abs(countOf(data.validation!.labels!, label) - expected / 5)).toBeLessThan(1);
      expect(Math.abs(countOf(data.test!.labels!, label) - inTest / 2)).toBeLessThan(1);
    }
    const clean = await openTrainingData("example", { validation: 0.2, limit: 100, seed: 3 });
    const changed = clean.train.labels!.filter((label, i) => label !== data.train.labels![i]);
    expect(changed.length).toBe(40);
    expect(data.fingerprint).toBe(whole.fingerprint);
    const namesOf = (part: typeof data.train) => Array.from({ length: part.count }, (_, i) => part.sampleName(i));
    const used = new Set(namesOf(data.train));
    expect(namesOf(data.validation!).filter((name) => used.has(name))).toEqual([]);
  });

  test("refuses names and options that mean nothing here", async () => {
    await expect(openTrainingData("cifar:x")).rejects.toThrow('got "cifar". Did you mean "cifar10"?');
    await expect(openTrainingData("/some/path")).rejects.toThrow(
      "Write the kind before the path, such as folder:path/to/pictures.",
    );
    await expect(openTrainingData("mnist")).rejects.toThrow(
      '"mnist" must be followed by a folder, such as mnist:path/to/it, got none.',
    );
    await expect(openTrainingData("example:x")).rejects.toThrow(
      '"example" comes with the package and must have no path, got "x".',
    );
    await expect(openTrainingData("example", { length: 3 })).rejects.toThrow(
      "length must be given for text, words only, got it for example.",
    );
    await expect(openTrainingData("example", { validation: 500 })).rejects.toThrow("below the 500 samples, got 500.");
    await expect(openTrainingData("example", { labelNoise: 1.5 })).rejects.toThrow(
      "label noise must be a share from 0 to 1, got 1.5.",
    );
    await expect(openTrainingData("example", { limit: 0 })).rejects.toThrow(
      "limit must be a whole number above zero, got 0.",
    );
  });
});
