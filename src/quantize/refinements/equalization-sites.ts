/** Where channels between layers can be scaled without changing what a model computes. */
import type { Layer } from "../../prepare/index.ts";
import { boundsOf } from "../../prepare/index.ts";
import { constantSize, type Node, type Program, type Use, type Value } from "../../program/index.ts";
import { hasIntegerForm } from "../activation-plan.ts";

/** A layer that reads the channels of a site, and which of its input channels is the site's first. */
export interface Reader {
  readonly layer: Layer;
  readonly firstChannel: number;
}

/** A layer whose output channels are read by other layers only, with nothing but positively homogeneous functions between. */
export interface EqualizationSite {
  readonly producer: Layer;
  readonly channels: number;
  readonly readers: readonly Reader[];
  /** Clips on the way from 0 to a number, which would need a bound of its own in each channel. */
  readonly clips: readonly Node[];
}

/** Functions f of one tensor with f(s x) = s f(x) for s > 0, channel by channel. */
const HOMOGENEOUS: ReadonlySet<string> = new Set([
  "Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Identity", "Dropout",
]); // biome-ignore format: a table

/**
 * Finds the sites of a prepared program: `producer -> ReLU, pool, concatenation, ... -> readers`. Sums are none: there both
 * sides would need the same factors.
 */
export function equalizationSites(program: Program, layers: readonly Layer[]): EqualizationSite[] {
  const usable = layers.filter(canBeScaled);
  const byNode = new Map(usable.map((layer) => [layer.node, layer]));
  const search = { program, uses: program.graph.uses(), byNode };
  return usable.flatMap((producer) => {
    const readers: Reader[] = [];
    const clips: Node[] = [];
    const channels = producer.weight.constant!.shape[producer.outputChannelAxis]!;
    const found = follow(producer.output, 0, { ...search, readers, clips, channels });
    return found && readers.length > 0 ? [{ producer, channels, readers, clips }] : [];
  });
}

/** Whether a layer's weights and bias are its own, and its channels those of its matrix. */
function canBeScaled(layer: Layer): boolean {
  return hasIntegerForm(layer) && !layer.sharesWeight && layer.node.int("transA", 0) === 0;
}

interface Search {
  readonly program: Program;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly byNode: ReadonlyMap<Node, Layer>;
  readonly channels: number;
  readonly readers: Reader[];
  readonly clips: Node[];
}

/** Collects the readers of a value whose channel `first` is the site's first; false when something else reads it too. */
function follow(value: Value, first: number, search: Search): boolean {
  const { uses, byNode, program } = search;
  return (uses.get(value) ?? []).every(({ node, graph }) => {
    if (!node || graph !== program.graph) return false;
    const layer = byNode.get(node);
    if (layer) {
      if (layer.input !== value || !readsChannels(layer, value, first + search.channels)) return false;
      search.readers.push({ layer, firstChannel: first });
      return true;
    }
    if (node.domain !== "" || node.outputs.length !== 1) return false;
    if (HOMOGENEOUS.has(node.operator)) return follow(node.output(), first, search);
    if (node.operator === "Concat") return followConcat(node, value, first, search);
    if (node.operator === "Flatten") return isFlat(value) && follow(node.output(), first, search);
    return followClip(node, value, first, search);
  });
}

function followConcat(node: Node, value: Value, first: number, search: Search): boolean {
  const rank = value.shape?.length ?? 0;
  const axis = node.int("axis", 0);
  if (rank < 3 || (axis !== 1 && axis !== 1 - rank) || node.inputs.filter((input) => input === value).length !== 1)
    return false;
  let before = first;
  for (const input of node.inputs) {
    if (input === value) return follow(node.output(), before, search);
    const length = input?.shape?.[1];
    if (typeof length !== "number") return false;
    before += length;
  }
  return false;
}

function followClip(node: Node, value: Value, first: number, search: Search): boolean {
  const bounds = boundsOf(node, value, search.program);
  if (bounds?.low !== 0 || !(bounds.high > 0) || value.shape === undefined) return false;
  if (bounds.high < Number.POSITIVE_INFINITY) search.clips.push(node);
  return follow(node.output(), first, search);
}

/** Whether flattening leaves one feature for each channel. */
function isFlat({ shape }: Value): boolean {
  return shape?.slice(2).every((length) => length === 1) ?? false;
}

/** Whether the input channels of a layer are those of a value: the features of a matrix, axis 1 of a map. */
function readsChannels({ kind, weight, outputChannelAxis, groups }: Layer, value: Value, atLeast: number): boolean {
  const constant = weight.constant!;
  const isMatrix = kind === "gemm" || kind === "matmul";
  const inputs = isMatrix ? constant.shape[1 - outputChannelAxis]! : constant.shape[1]! * groups;
  return constantSize(constant) > 0 && inputs >= atLeast && (!isMatrix || value.shape?.length === 2);
}

/** Calls `visit` with the place in a layer's weights of each weight of an output channel. */
export function* weightsOfOutput({ weight, outputChannelAxis }: Layer, channel: number): Generator<number> {
  const { shape } = weight.constant!;
  const size = constantSize(weight.constant!);
  const outputs = shape[outputChannelAxis]!;
  if (outputChannelAxis === 0) {
    const length = size / outputs;
    for (let i = channel * length; i < (channel + 1) * length; i++) yield i;
  } else for (let i = channel; i < size; i += outputs) yield i;
}

/** The same for the weights that meet an input channel. */
export function* weightsOfInput(
  { weight, outputChannelAxis, groups, kind }: Layer,
  channel: number,
): Generator<number> {
  const { shape } = weight.constant!;
  const size = constantSize(weight.constant!);
  if (kind === "gemm" || kind === "matmul") {
    const [rows, columns] = shape as [number, number];
    if (outputChannelAxis === 0) for (let row = 0; row < rows; row++) yield row * columns + channel;
    else for (let column = 0; column < columns; column++) yield channel * columns + column;
    return;
  }
  const [outputs, inputs] = shape as [number, number];
  const taps = size / outputs / inputs;
  const perGroup = outputs / groups;
  const group = Math.floor(channel / inputs);
  for (let output = group * perGroup; output < (group + 1) * perGroup; output++) {
    const start = (output * inputs + (channel % inputs)) * taps;
    for (let i = start; i < start + taps; i++) yield i;
  }
}
