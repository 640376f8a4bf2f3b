import { expect, test } from "vitest";
import { madeData } from "../fit/made-data.cases.ts";
import { toNumbers } from "../tensor/index.ts";
import { limitVocabulary } from "./limit-vocabulary.ts";

test("words beyond the most frequent become the last one, in samples and in batches", async () => {
  const all = madeData({ kind: "tokens", sampleShape: [6], classes: 10 });
  const limited = limitVocabulary({ ...all, classNames: [..."abcdefghij"] }, 4);
  expect([limited.classes, limited.classNames]).toEqual([4, ["a", "b", "c", "<unk>"]]);
  const { x, label } = await limited.train.batch!([0, 3]);
  const given = await all.train.batch!([0, 3]);
  const wanted = (name: string) => [...toNumbers(given[name]!)].map((token) => Math.min(token, 3));
  expect([...toNumbers(x!)]).toEqual(wanted("x"));
  expect([...toNumbers(label!)]).toEqual(wanted("label"));
  expect(label!.shape).toEqual([2, 6]);
  expect(Math.max(...toNumbers((await limited.test!.sample(0)).x!))).toBeLessThan(4);
});
