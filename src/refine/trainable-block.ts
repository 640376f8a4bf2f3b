/** A block whose rounding is learned: written in float, with roundings that are being learned, or with those decided. */
import type { Scope } from "../build/index.ts";
import type { Layer } from "../prepare/index.ts";
import { constantValue, type Node, type Value } from "../program/index.ts";
import {
  type ActivationGrid,
  type ChannelWeights,
  type Draft,
  floatsOf,
  hasChannelBias,
  highestCode,
  type QuantizedLayer,
} from "../quantize/index.ts";
import { float32, type Tensor, tensorOf, toFloat32, toNumbers, zeros } from "../tensor/index.ts";
import { type BlockProgram, blockProgram, writeBlock } from "./block-program.ts";
import type { Block } from "./blocks.ts";
import { dropRounding, fakeQuantize } from "./fake-quantize.ts";
import { gridGroups, isRounded } from "./grid-groups.ts";
import { hardRounding, type RoundingStart, roundingStart, softRounding } from "./soft-rounding.ts";

/**
 * How a block is written. "float": as it was. "soft": with roundings between two codes and half of the activations left in
 * float, to be learned. "hard": the same with those roundings decided, as it will be deployed. "straight": as it will be
 * deployed, with codes that gradients move as if they were not rounded.
 */
export type BlockMode = "float" | "soft" | "hard" | "straight";

/** What a block is written with. */
export interface BlockInputs {
  /** What the blocks before it give when they are quantized; absent for a first block. */
  readonly input?: Value | undefined;
  /** What they give in float. */
  readonly float?: Value | undefined;
  /** Inputs of the whole program, by name. */
  readonly feeds: Readonly<Record<string, Value>>;
}

/** A block that was written. */
export interface WrittenBlock {
  readonly output: Value;
  /** Soft roundings, by layer. */
  readonly shares: readonly Value[];
}

/** Options of `TrainableBlock`. */
export interface TrainableBlockOptions {
  /** All blocks of the program. */
  readonly blocks: readonly Block[];
  /** Values that stand for grids which stay as they are: those other blocks have learned. */
  readonly frozen: ReadonlySet<Value>;
}

/** A layer whose rounding is learned. */
interface LearnedLayer {
  readonly layer: Layer;
  readonly quantized: QuantizedLayer<ChannelWeights>;
  /** Name of the layer in paths of variables. */
  readonly path: string;
  readonly start: RoundingStart;
  /** The bias to start from, and what changes of it are measured in; undefined where the layer can have none. */
  readonly bias: { readonly start: Float32Array; readonly unit: Float32Array } | undefined;
}

/** Kinds whose weights meet every sample: the rows of an embedding would each see few. */
const LEARNED_KINDS: ReadonlySet<string> = new Set(["conv", "depthwise-conv", "conv-transpose", "gemm", "matmul"]);

/** Writes a block of a draft, and makes a draft of what was learned. */
export class TrainableBlock {
  readonly block: Block;
  readonly program: BlockProgram;
  readonly #draft: Draft;
  readonly #learned: readonly LearnedLayer[];
  /** Layers by the name of what their node gives. */
  readonly #byNode = new Map<string, Layer>();
  readonly #byBiasNode = new Map<string, LearnedLayer>();
  readonly #fixed = new Map<Layer, Value>();
  /** Grids by the name of the value that is rounded to them. */
  readonly #grids = new Map<
    string,
    { readonly grid: ActivationGrid; readonly group: Value; readonly path: string | undefined }
  >();

  constructor(draft: Draft, block: Block, { blocks, frozen }: TrainableBlockOptions) {
    this.block = block;
    this.#draft = draft;
    this.program = blockProgram(draft.program, block, blocks);
    const quantized = block.layers.flatMap((layer) => draft.weights.get(layer) ?? []);
    this.#learned = quantized.flatMap((one, index) => learnedLayer(one, `layers.${index}`) ?? []);
    const nameOf = (value: Value): string => this.program.names.get(value)!;
    for (const one of this.#learned) {
      if (one.bias) this.#byBiasNode.set(nameOf((one.layer.biasNode ?? one.layer.node).output()), one);
    }
    for (const { layer } of quantized) this.#byNode.set(nameOf(layer.node.output()), layer);
    const groups = gridGroups(draft);
    const paths = new Map<Value, string>();
    for (const [value, grid] of draft.grids) {
      const name = this.program.names.get(value);
      const isOwn = value !== block.output || draft.program.graph.outputs.includes(value);
      if (name === undefined || !isRounded(value, draft) || !isOwn) continue;
      const group = groups.get(value)!;
      const path = frozen.has(group) ? undefined : (paths.get(group) ?? `grids.${paths.size}`);
      if (path !== undefined) paths.set(group, path);
      this.#grids.set(name, { grid, group, path });
    }
  }

  /** Whether there is anything to learn. */
  get isTrainable(): boolean {
    return this.block.reason === undefined && this.#learned.length > 0;
  }

  /** Variables with which the block is what the draft makes of it. */
  get start(): Record<string, Tensor> {
    const start: Record<string, Tensor> = {};
    for (const { path, start: rounding, bias } of this.#learned) {
      start[`${path}.rounding`] = rounding.variables;
      if (bias) start[`${path}.bias`] = zeros("float32", [bias.start.length]);
    }
    for (const { path } of this.#grids.values()) if (path !== undefined) start[path] = zero;
    return start;
  }

  /** Number of weights whose rounding is learned. */
  get weightCount(): number {
    return this.#learned.reduce((sum, { quantized }) => sum + quantized.weights.codes.length, 0);
  }

  /** Values that stand for the grids the block rounds to. */
  get gridGroups(): readonly Value[] {
    return [...this.#grids.values()].map(({ group }) => group);
  }

  /** Writes the block. Variables are those of the scope; in float there are none. */
  write(inputs: BlockInputs, scope: Scope, mode: BlockMode): WrittenBlock {
    const { program } = this;
    const { ops } = scope;
    const shares: Value[] = [];
    const scales = new Map<string, Value>();
    const scaleOf = ({ grid, path }: { grid: ActivationGrid; path: string | undefined }): Value => {
      if (path === undefined) return ops.scalar(grid.scale, "float32");
      const made = scales.get(path) ?? ops.mul(ops.exp(scope.parameter(path, [], zero)), grid.scale);
      scales.set(path, made);
      return made;
    };
    const result = (value: Value, name: string): Value => {
      const rounding = mode === "float" ? undefined : this.#grids.get(name);
      const isInput = name === program.input;
      const rounded = rounding ? fakeQuantize(value, rounding.grid, scaleOf(rounding), ops) : value;
      if (mode !== "soft" || name === program.output) return rounded;
      if (isInput) return this.#draft.grids.size > 0 ? dropRounding(inputs.float!, rounded, scope) : rounded;
      return rounding ? dropRounding(value, rounded, scope) : value;
    };
    const node = (written: Node): void => {
      if (mode === "float") return;
      const name = written.output().name;
      const layer = this.#byNode.get(name);
      if (layer) written.inputs[layer.weightIndex] = this.#weights(layer, scope, mode, shares);
      const biased = this.#byBiasNode.get(name);
      if (biased) this.#placeBias(biased, written, scope);
    };
    const given = new Map<string, Value>([...program.feeds].map(([name, own]) => [own, inputs.feeds[name]!]));
    if (program.input !== undefined) given.set(program.input, mode === "float" ? inputs.float! : inputs.input!);
    return { output: writeBlock(program, given, scope, { node, result }), shares };
  }

  /** Returns a draft with the roundings, biases and scales that were learned. */
  draftOf(draft: Draft, variables: Readonly<Record<string, Tensor>>): Draft {
    const weights = new Map(draft.weights);
    for (const one of this.#learned) weights.set(one.layer, learnedWeights(one, variables));
    const scales = new Map<Value, number>();
    for (const { grid, group, path } of this.#grids.values()) {
      const change = path === undefined ? undefined : variables[path];
      if (change) scales.set(group, Math.fround(grid.scale * Math.exp(toNumbers(change)[0]!)));
    }
    const groups = gridGroups(draft);
    const grids = new Map<Value, ActivationGrid>();
    const made = new Map<Value, ActivationGrid>();
    for (const [value, grid] of draft.grids) {
      const group = groups.get(value)!;
      const scale = scales.get(group);
      if (scale === undefined) grids.set(value, grid);
      else {
        // What shares a grid goes on sharing one object.
        const changed = made.get(group) ?? { ...grid, scale };
        made.set(group, changed);
        grids.set(value, changed);
      }
    }
    return { ...draft, weights, grids };
  }

  #weights(layer: Layer, scope: Scope, mode: BlockMode, shares: Value[]): Value {
    const { ops } = scope;
    const one = this.#learned.find((learned) => learned.layer === layer);
    if (!one) return this.#fixedWeights(layer);
    const { codes, scales, variables } = one.start;
    if (mode === "straight") return ops.mul(movingCodes(one, scope), ops.constant(scales));
    const v = scope.parameter(`${one.path}.rounding`, variables.shape, variables);
    const share = mode === "soft" ? softRounding(ops, v) : hardRounding(ops, v);
    shares.push(share);
    return ops.mul(ops.add(ops.constant(codes), share), ops.constant(scales));
  }

  #fixedWeights(layer: Layer): Value {
    const known = this.#fixed.get(layer);
    if (known) return known;
    const { dtype, shape } = layer.weight.constant!;
    const floats = floatsOf(layer, this.#draft.weights.get(layer)!.weights);
    const made = constantValue(`${layer.weight.name}_rounded`, tensorOf(dtype, shape, floats));
    this.#fixed.set(layer, made);
    return made;
  }

  #placeBias({ layer, path, bias }: LearnedLayer, written: Node, scope: Scope): void {
    const { ops } = scope;
    const { start, unit } = bias!;
    const change = scope.parameter(`${path}.bias`, [start.length], zeros("float32", [start.length]));
    const flat = ops.add(
      ops.constant(float32([start.length], start)),
      ops.mul(change, ops.constant(float32([start.length], unit))),
    );
    const shape = layer.bias?.constant?.shape;
    const isShaped = layer.biasNode && shape?.at(-1) === start.length;
    const place = layer.biasNode ? layer.biasNode.inputs.indexOf(layer.bias) : 2;
    written.inputs[place] = isShaped ? ops.reshape(flat, shape) : flat;
  }
}

const zero: Tensor = float32([], [0]);

/** Codes that start as the draft's: numbers between codes, rounded, through which gradients pass where they are not clipped. */
function movingCodes({ path, start, quantized }: LearnedLayer, scope: Scope): Value {
  const { ops } = scope;
  const [grid] = quantized.weights.grids;
  const places = scope.parameter(`${path}.codes`, start.codes.shape, start.places);
  const kept = ops.clip(places, grid!.lowestCode, highestCode(grid!));
  return ops.straightThrough(kept, ops.floor(ops.add(kept, 0.5)));
}

function learnedLayer(quantized: QuantizedLayer, path: string): LearnedLayer | undefined {
  const { layer, weights } = quantized;
  const isLearned = LEARNED_KINDS.has(layer.kind) && !layer.sharesWeight && layer.weight.dtype === "float32";
  if (!isLearned || weights.granularity !== "channel") return undefined;
  const channelQuantized = { ...quantized, weights };
  return {
    layer,
    quantized: channelQuantized,
    path,
    start: roundingStart(layer, weights),
    bias: hasPlaceForBias(layer) ? biasStart(channelQuantized) : undefined,
  };
}

function hasPlaceForBias(layer: Layer): boolean {
  return hasChannelBias(layer) && (layer.biasNode !== undefined || layer.kind !== "matmul");
}

/** The bias, and the norm of the weights of each channel: what its output varies by where inputs are about 1. */
function biasStart({ layer, weights, channels, biasShift }: QuantizedLayer<ChannelWeights>): LearnedLayer["bias"] {
  const floats = layer.bias?.constant && toFloat32(layer.bias.constant.load());
  const start = Float32Array.from(
    { length: channels },
    (_, c) => (biasShift?.[c] ?? 0) + (floats ? floats[floats.length === 1 ? 0 : c]! : 0),
  );
  const inner = weights.shape.slice(weights.channelAxis + 1).reduce((product, length) => product * length, 1);
  const squares = new Float64Array(weights.grids.length);
  weights.codes.forEach((code, i) => {
    const c = Math.floor(i / inner) % weights.grids.length;
    squares[c]! += (code * weights.grids[c]!.scale) ** 2;
  });
  const unit = Float32Array.from({ length: channels }, (_, c) => Math.sqrt(squares[c % squares.length]!));
  return { start, unit };
}

function learnedWeights(
  { layer, quantized, path, start, bias }: LearnedLayer,
  variables: Readonly<Record<string, Tensor>>,
): QuantizedLayer {
  const { weights } = quantized;
  const [grid] = weights.grids;
  const rounding = variables[`${path}.rounding`]?.data as Float32Array | undefined;
  const places = variables[`${path}.codes`]?.data as Float32Array | undefined;
  const lower = start.codes.data as Float32Array;
  const codes = Int8Array.from(lower, (code, i) => {
    if (!places) return code + (rounding![i]! >= 0 ? 1 : 0);
    return Math.floor(Math.min(Math.max(places[i]!, grid!.lowestCode), highestCode(grid!)) + 0.5);
  });
  const learned = { ...quantized, weights: { ...weights, codes } };
  const change = bias && (variables[`${path}.bias`]?.data as Float32Array | undefined);
  if (!change) return learned;
  const floats = layer.bias?.constant && toFloat32(layer.bias.constant.load());
  const biasShift = Float64Array.from(
    bias.start,
    (from, c) => from + change[c]! * bias.unit[c]! - (floats ? floats[floats.length === 1 ? 0 : c]! : 0),
  );
  return { ...learned, biasShift };
}
