/** Multiply-accumulates of a program by the bits of what is multiplied: what quantized training would cost on hardware for it. */
import type { Graph, Node, Program, Value } from "../program/index.ts";
import { countMacs } from "./count-macs.ts";

/** Operators that move numbers without changing them, and sums that move a grid to where it belongs. */
const MOVES = new Set([
  "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Slice", "Gather", "Expand", "Pad", "Split", "Concat",
  "StopGradient", "CustomGradient",
]); // biome-ignore format: a table

/**
 * Counts multiply-accumulates by the bits of both operands, the smaller first: `{ "8x8": ..., "8x16": ..., "float": ... }`. A product
 * counts as `float` unless both of its operands are on grids (`modicum:Quantized`, what `int8` writes). Logarithmic gradients are
 * on no grid. A Loop counts its body times its iterations where they are constant.
 *
 * In a step of `int8({ weightGradients: 16 })`, two thirds of the products are 8x8 (forward, and gradients on their way down; the
 * first layer has none of those) and one third 8x16.
 *
 * @throws ShapeError, DTypeError, OptionError as `inferShapes` does.
 * @see arXiv:1805.11046, section 5
 * @example
 * const step = trainStep({ inputs, loss, optimizer, precision: int8({ weightGradients: 16 }) });
 * console.log(countMacsByBits(step.program)); // { "8x8": 26300, "8x16": 16300 }
 */
export function countMacsByBits(program: Program): Record<string, number> {
  const { byNode } = countMacs(program);
  const counts: Record<string, number> = {};
  const ofGraph = (graph: Graph, times: number): void => {
    for (const node of graph.nodes) {
      const inner = node.operator === "Loop" ? times * iterationsOf(node) : times;
      if (node.subgraphs.length > 0) {
        for (const part of node.subgraphs) ofGraph(part, inner);
        continue;
      }
      const macs = byNode.get(node) ?? 0;
      if (macs === 0) continue;
      const bits = bitsOf(node);
      counts[bits] = (counts[bits] ?? 0) + times * macs;
    }
  };
  ofGraph(program.graph, 1);
  return counts;
}

function iterationsOf(loop: Node): number {
  return Number(loop.inputs[0]?.constant?.load().data[0] ?? 0);
}

function bitsOf(node: Node): string {
  const [a, b] = [gridBits(node.inputs[0]), gridBits(node.inputs[1])];
  if (a === undefined || b === undefined) return "float";
  return `${Math.min(a, b)}x${Math.max(a, b)}`;
}

/** Bits of the grid that a value is on; undefined where it is on none. */
function gridBits(value: Value | undefined): number | undefined {
  const node = value?.producer;
  if (!node) return undefined;
  if (node.operator === "Quantized") return Math.log2(node.int("highest", 255) - node.int("lowest", 0) + 1);
  // A grid from the least number on: codes times scale, plus that number.
  if (node.operator === "Add") return gridBits(node.inputs[0]) ?? gridBits(node.inputs[1]);
  return MOVES.has(node.operator) ? gridBits(node.inputs[0]) : undefined;
}
