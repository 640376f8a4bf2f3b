import fc from "fast-check";
import { expect, test } from "vitest";
import { CheapestFirst } from "./cheapest-first.ts";

test("items come out by price", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { maxLength: 50 }), (prices) => {
      const queue = new CheapestFirst(50);
      for (const [item, price] of prices.entries()) queue.add(item, price);
      const taken: number[] = [];
      while (queue.size > 0) {
        const least = queue.leastPrice;
        const item = queue.take();
        expect(prices[item]).toBe(least);
        taken.push(item);
      }
      expect(taken.map((item) => prices[item])).toEqual([...prices].sort((a, b) => a - b));
      expect(new Set(taken).size).toBe(prices.length);
    }),
  );
});

test("items of equal price all come out, and a queue can be used again", () => {
  const queue = new CheapestFirst(4);
  for (let item = 0; item < 4; item++) queue.add(item, 1);
  queue.take();
  queue.clear();
  expect(queue.size).toBe(0);
  queue.add(7, 2);
  queue.add(8, 1);
  expect([queue.take(), queue.take()]).toEqual([8, 7]);
});
