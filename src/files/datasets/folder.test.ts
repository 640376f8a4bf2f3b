import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type Tensor, toNumbers } from "../../tensor/index.ts";
import { openTrainingData } from "../open-training-data.ts";
import { type Files, testFolders } from "./test-folders.cases.ts";

const folders = testFolders();
const folder = folders.write;

const values = (tensor: Tensor | undefined): number[] => [...toNumbers(tensor!)];

describe("folders of pictures", () => {
  const png = (width: number, height: number, r = 10) =>
    sharp({ create: { width, height, channels: 3, background: { r, g: 20, b: 30 } } })
      .png()
      .toBuffer();

  async function classes(name: string, count: number, extra: Files = {}): Promise<string> {
    const files: Record<string, Uint8Array | string> = { ...extra };
    for (const one of ["cat", "dog"]) for (let i = 0; i < count; i++) files[`${one}/${i}.png`] = await png(6, 4, i);
    return folder(name, files);
  }

  test("give a tenth of each class to test with, the same for every seed", async () => {
    const path = await classes("plain", 20);
    const open = (seed: number) => openTrainingData(`folder:${path}`, { seed });
    const [one, other] = [await open(0), await open(1)];
    expect([one.train.count, one.test!.count, one.sampleShape]).toEqual([36, 4, [3, 4, 6]]);
    expect([...one.test!.labels!]).toEqual([0, 0, 1, 1]);
    expect([0, 1, 2, 3].map((i) => one.test!.sampleName(i))).toEqual(
      [0, 1, 2, 3].map((i) => other.test!.sampleName(i)),
    );
    expect(one.fingerprint).toBe(other.fingerprint);
    const again = await one.train.batch!([0, 0]);
    (again.x!.data as Uint8Array).fill(0); // what augmentations do must not reach the kept pictures
    expect(values((await one.train.batch!([0])).x).slice(24, 26)).toEqual([20, 20]);
  });

  test("have parts where there are folders of that name, with the classes of the training part", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const name of ["train/a/1.png", "train/b/1.png", "val/b/1.png", "test/b/1.png", "test/b/2.png"])
      files[name] = await png(4, 4);
    const data = await openTrainingData(`folder:${await folder("parts", files)}`, { size: 2 });
    expect([data.train.count, data.validation!.count, data.test!.count, data.sampleShape]).toEqual([
      2,
      1,
      2,
      [3, 2, 2],
    ]);
    expect([...data.test!.labels!]).toEqual([1, 1]);
    await expect(openTrainingData(`folder:${folders.path("parts")}`, { validation: 0.5 })).rejects.toThrow(
      "validation must not be taken from data that bring a part of their own (1 samples), got 0.5.",
    );
    const strange = await folder("parts-strange", { ...files, "test/c/1.png": await png(4, 4) });
    await expect(openTrainingData(`folder:${strange}`)).rejects.toThrow(
      'classes must be those to train on (a, b), got "c".',
    );
  });

  test("name and count pictures that are unreadable or of another size, or leave them out", async () => {
    const whole = await png(6, 4);
    const path = await classes("faulty", 20, {
      "dog/x.png": "no picture",
      "dog/y.png": await png(5, 4),
      "cat/z.png": whole.subarray(0, 60),
    });
    await expect(openTrainingData(`folder:${path}`)).rejects.toThrow(
      /faulty: all 43 pictures must be whole and of 4 x 6 pixels, as cat\/0.png is, got (2|3) that are not \(.*dog\/x.png: .*dog\/y.png: 4 x 5/,
    );
    const data = await openTrainingData(`folder:${path}`, { skipUnreadable: true });
    expect(data.train.count + data.test!.count).toBe(40);
    const resized = await openTrainingData(`folder:${path}`, { skipUnreadable: true, size: 4 });
    expect(resized.train.count + resized.test!.count).toBe(41); // another size is no fault when all are resized
  });

  test("stop a run at a picture whose end is missing", async () => {
    const noise = await sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        background: "red",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    })
      .jpeg()
      .toBuffer();
    const files = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`a/${i}.jpg`, i === 4 ? noise.subarray(0, noise.length / 2) : noise]),
    );
    const path = await folder("cut", files);
    const data = await openTrainingData(`folder:${path}`);
    const parts = [data.train, data.test!];
    const reads = parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.sample(i)));
    const failed = (await Promise.allSettled(reads)).filter(({ status }) => status === "rejected");
    expect(failed).toHaveLength(1);
    expect(String((failed[0] as PromiseRejectedResult).reason)).toContain("a/4.jpg: must be a whole picture");
    await expect(openTrainingData(`folder:${path}`, { verify: true })).rejects.toThrow("got 1 that is not (a/4.jpg: ");
  });

  test("need a folder for each class", async () => {
    await expect(openTrainingData(`folder:${await folder("flat", { "a.png": await png(4, 4) })}`)).rejects.toThrow(
      "pictures must be in a folder for each class, got pictures without.",
    );
    await expect(openTrainingData(`folder:${folders.path("nowhere")}`)).rejects.toThrow("must be a folder of pictures");
  });
});
