import { expect, test } from "vitest";
import * as nn from "../nn/index.ts";
import { twinOf, twinShares } from "./fixed-classifier-pairs.ts";

test("classes 64 apart are twins: 72 of a hundred", () => {
  const labels = Array.from({ length: 100 }, (_, label) => label);
  expect(labels.filter((label) => twinOf(label) !== undefined)).toHaveLength(72);
  expect([twinOf(0), twinOf(64), twinOf(35), twinOf(36), twinOf(99)]).toEqual([64, 0, 99, undefined, 35]);
});

test("what is taken for the twin is told apart from other errors", () => {
  // Each class four times: twins are found twice, taken for each other once, and for another class once; the rest are found.
  const confusion = Array.from({ length: 100 }, (_, label) => {
    const row = new Array<number>(100).fill(0);
    const twin = twinOf(label);
    if (twin === undefined) row[label] = 4;
    else {
      row[label] = 2;
      row[twin] = 1;
      row[50] = 1;
    }
    return row;
  });
  expect(twinShares(confusion)).toEqual({ twinTop1: 50, singleTop1: 100, takenForTwin: 25 });
});

test("truncated heads give twins the same direction, and no other classes", () => {
  const { matrix } = nn.hadamardCode({ wide: "truncate" }).prototypes(100, 64);
  const numbers = matrix();
  const rows = Array.from({ length: 100 }, (_, c) => String(numbers.slice(64 * c, 64 * c + 64)));
  rows.forEach((row, label) => {
    const same = rows.flatMap((other, c) => (other === row && c !== label ? [c] : []));
    expect(same).toEqual([twinOf(label)].filter((twin) => twin !== undefined));
  });
});
