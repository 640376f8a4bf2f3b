/** Reading and changing single elements by where they are in memory. */
import { elementCount } from "../../tensor/index.ts";
import type { Decomposition } from "./decomposition.ts";

const take: Decomposition = (node, ops) => [ops.gather(ops.reshape(node.input(0), [-1]), node.input(1))];

const add: Decomposition = (node, ops) => {
  const [x, places, numbers] = [node.input(0), node.input(1), node.input(2)];
  const count = [elementCount(ops.shapeOf(places))];
  const sums = ops.scatterAdd(ops.reshape(x, [-1]), ops.reshape(places, count), ops.reshape(numbers, count), 0);
  return [ops.reshape(sums, ops.shapeOf(x))];
};

export const elementAccess: Readonly<Record<string, Decomposition>> = {
  "modicum:TakeElements": take,
  "modicum:AddElements": add,
};
