import { expect, test } from "vitest";
import { madeData } from "../fit/made-data.cases.ts";
import { digitPairs } from "./digit-pairs.ts";

test("pairs are two pictures side by side, and their class is that of both", async () => {
  const digits = madeData({ sampleShape: [1, 3, 2], count: 30 });
  const pairs = await digitPairs(digits, { train: 50, test: 7 }, 1);
  expect(pairs).toMatchObject({ classes: 100, sampleShape: [1, 3, 4] });
  expect([pairs.train.count, pairs.test!.count]).toEqual([50, 7]);
  const pictureOf = async (index: number) => Array.from((await digits.train.sample(index)).x!.data as Uint8Array);
  const known = await Promise.all(Array.from({ length: 30 }, (_, i) => pictureOf(i)));
  for (let pair = 0; pair < 50; pair++) {
    const x = Array.from((await pairs.train.sample(pair)).x!.data as Uint8Array);
    const side = (first: number) => x.filter((_, i) => Math.floor((i % 4) / 2) === first);
    const classOf = (picture: number[]) => known.findIndex((one) => String(one) === String(picture)) % 10;
    expect(pairs.train.labels![pair]).toBe(10 * classOf(side(0)) + classOf(side(1)));
  }
  const again = await digitPairs(digits, { train: 50, test: 7 }, 2);
  expect(again.train.labels).not.toEqual(pairs.train.labels);
  expect(again.test!.labels).toEqual(pairs.test!.labels);
});
