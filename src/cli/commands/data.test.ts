import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedData } from "../../../test/support/shared-data.ts";
import { temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

describe("modicum data", () => {
  test("lists what can be trained on, with source, size and licence", async () => {
    const { code, stdout } = await runMain(["data"]);
    expect(code).toBe(0);
    for (const name of ["example", "mnist:PATH", "cifar100:PATH", "stl10:PATH", "folder:PATH", "csv:PATH", "text:PATH"])
      expect(stdout).toContain(name);
    expect(stdout).toContain("https://www.cs.toronto.edu/~kriz/cifar.html");
    const { data } = JSON.parse((await runMain(["data", "--json"])).stdout) as {
      data: { name: string; licence: string }[];
    };
    expect(data.find(({ name }) => name === "fashion-mnist")!.licence).toBe("MIT");
  });

  test("counts samples and classes of a copy", async () => {
    const { code, stdout } = await runMain(["data", "example", "--json"]);
    expect(code).toBe(0);
    const { parts, classes, sampleShape, files } = JSON.parse(stdout);
    expect(parts).toEqual([
      { part: "train", samples: 500, perClass: { least: 39, most: 65 } },
      { part: "test", samples: 100, perClass: { least: 4, most: 15 } },
    ]);
    expect([classes, sampleShape, files.length]).toEqual([10, [1, 28, 28], 4]);
    expect((await runMain(["data", "example"])).stdout).toMatch(/train +500 +39 to 65\n/);
  });

  test("tells official files from others", async () => {
    const shared = sharedData("mnist");
    if (!shared) return;
    const copy = join(folder, "mnist");
    await mkdir(copy);
    for (const part of ["train", "t10k"]) {
      await copyFile(join(shared, "t10k-images-idx3-ubyte.gz"), join(copy, `${part}-images-idx3-ubyte.gz`));
      await copyFile(join(shared, "t10k-labels-idx1-ubyte.gz"), join(copy, `${part}-labels-idx1-ubyte.gz`));
    }
    const { files } = JSON.parse((await runMain(["data", `mnist:${copy}`, "--json"])).stdout);
    expect(files.map(({ checksum }: { checksum: string }) => checksum)).toEqual(["differ", "differ", "match", "match"]);
    expect((await runMain(["data", `mnist:${copy}`])).stdout).toContain("NOT the official file");
  });

  test("names and counts pictures that cannot be read, and leaves them out when told to", async () => {
    const pictures = join(folder, "pictures");
    for (const name of ["cat", "dog"]) {
      await mkdir(join(pictures, name), { recursive: true });
      for (let i = 0; i < 6; i++) {
        const background = { r: 20 * i, g: 0, b: 0 };
        await sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toFile(join(pictures, name, `${i}.png`));
      }
    }
    await writeFile(join(pictures, "dog", "9.png"), "no picture");
    const failed = await runMain(["data", `folder:${pictures}`]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(
      "all 13 pictures must be whole and of 8 x 8 pixels, as cat/0.png is, got 1 that is not (dog/9.png",
    );
    const { code, stdout } = await runMain(["data", `folder:${pictures}`, "--skip-unreadable"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Left out (1): ");
  });

  test("suggests the name that was meant, as wrong usage", async () => {
    const { code, stderr } = await runMain(["data", "cifar-10:x"]);
    expect(code).toBe(2);
    expect(stderr).toContain('got "cifar-10". Did you mean "cifar10"?');
  });
});
