import { expect, test } from "vitest";
import { firstClassShares } from "./largest-scores.ts";

test("a score that others share is a tie, not a decision", () => {
  const alone = [3, 1, 2];
  const behind = [1, 3, 2];
  const zeros = [0, 0, 0];
  const rounded = [1, 1 + 1e-7, 0];
  expect(firstClassShares([...alone, ...behind, ...zeros, ...rounded], 3)).toEqual({ alone: 25, tied: 50 });
  expect(firstClassShares([-1e-3, -2e-3], 2)).toEqual({ alone: 100, tied: 0 });
});
