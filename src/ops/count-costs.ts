/** What a program costs: floating-point operations and bytes moved, by node and by layer. */
import { type Node, type Program, staticShape, type Value } from "../program/index.ts";
import { byteLength, elementCount } from "../tensor/index.ts";
import { countMacs } from "./count-macs.ts";

/** What one run of a node, a layer or a program costs. */
export interface Cost {
  /** Additions, multiplications and other elementary operations; a multiply-accumulate counts as two. */
  readonly flops: number;
  /** Bytes read and written if every input and output is touched once: what caches cannot save. */
  readonly bytes: number;
}

/** Costs of a program. */
export interface Costs {
  readonly total: Cost;
  readonly byNode: ReadonlyMap<Node, Cost>;
  /** By layer: the path in the nodes' names; "" for what is written outside of any layer. */
  readonly byLayer: ReadonlyMap<string, Cost>;
}

/** Operators that move elements without computing. */
const MOVEMENT = new Set([
  "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Concat", "Split", "Slice", "Pad", "Expand", "Tile",
  "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Shape", "Size", "Constant", "ConstantOfShape",
  "DepthToSpace", "SpaceToDepth", "Cast", "OneHot", "StopGradient", "CustomGradient",
]); // biome-ignore format: a table

/** Operators that only look at the same bytes in another way. */
const VIEWS = new Set(["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "StopGradient", "CustomGradient"]);

/** Elementary operations per element: maximum, difference, exponential, sum, quotient; mean, difference, square, sum, scale. */
const PER_ELEMENT: Readonly<Record<string, number>> = {
  Softmax: 5,
  LogSoftmax: 5,
  LayerNormalization: 7,
  BatchNormalization: 2,
  InstanceNormalization: 7,
  GroupNormalization: 7,
};

/**
 * Counts floating-point operations and bytes of the main graph. Elementwise work counts one operation per output element,
 * reductions and pools one per input element. Values whose shape is not known count as nothing.
 *
 * @throws ShapeError, DTypeError, OptionError as `inferShapes` does.
 * @example
 * const { total, byLayer } = countCosts(step.program);
 */
export function countCosts(program: Program): Costs {
  const macs = countMacs(program);
  const byNode = new Map<Node, Cost>();
  const byLayer = new Map<string, Cost>();
  let total: Cost = { flops: 0, bytes: 0 };
  for (const node of program.graph.nodes) {
    const cost = { flops: 2 * (macs.byNode.get(node) ?? 0) + elementaryFlops(node), bytes: bytesOf(node) };
    byNode.set(node, cost);
    const slash = node.name.lastIndexOf("/");
    const layer = slash < 0 ? "" : node.name.slice(0, slash);
    byLayer.set(layer, sum(byLayer.get(layer), cost));
    total = sum(total, cost);
  }
  return { total, byNode, byLayer };
}

function sum(a: Cost | undefined, b: Cost): Cost {
  return { flops: (a?.flops ?? 0) + b.flops, bytes: (a?.bytes ?? 0) + b.bytes };
}

/** Operations of a node besides its multiply-accumulates. */
function elementaryFlops(node: Node): number {
  if (MOVEMENT.has(node.operator)) return 0;
  const written = elementsOf(node.outputs[0]);
  const factor = PER_ELEMENT[node.operator];
  if (factor !== undefined) return factor * written;
  if (/^Reduce|Pool|^Arg(Max|Min)$|^TopK$/.test(node.operator)) return elementsOf(node.inputs[0]);
  return /Conv|MatMul|Gemm|Einsum|LSTM|GRU|RNN|Attention/.test(node.operator) ? 0 : written;
}

function bytesOf(node: Node): number {
  if (VIEWS.has(node.operator)) return 0;
  return [...node.inputs, ...node.outputs].reduce((bytes, value) => bytes + sizeBytes(value), 0);
}

function sizeBytes(value: Value | undefined): number {
  return value?.dtype ? byteLength(value.dtype, elementsOf(value)) : 0;
}

function elementsOf(value: Value | undefined): number {
  const shape = value && (value.constant?.shape ?? staticShape(value));
  return shape ? elementCount(shape) : 0;
}
