/** Gram matrices of the inputs that layers of a draft get, gathered in the model's own run. */
import { writeModel } from "../../onnx/index.ts";
import type { Layer } from "../../prepare/index.ts";
import { cloneProgram, Emitter, type Program, removeDeadNodes, Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { float32, int64, seededRandom, type Tensor } from "../../tensor/index.ts";
import { joinPrograms } from "../join-programs.ts";
import type { CalibrationData } from "../options.ts";
import {
  inputColumns,
  MOST_PLACES,
  PLACES_INPUT,
  type ProductSizes,
  placesTensor,
  productSizes,
} from "./input-columns.ts";
import type { Matrix } from "./matrix.ts";
import type { Draft } from "./refinement.ts";
import { simulateDraft } from "./simulate-draft.ts";
import { weightRows } from "./weight-rows.ts";

/**
 * What is known of a layer's inputs, x in the float model and y in the draft, and of its weights W; averages over all samples.
 * By group of its products.
 */
export interface GroupMoments {
  /** Mean of y. */
  readonly means: Float64Array;
  /** Covariance of y, or where the layer has no bias to take the means away, mean of y y^T. */
  readonly gram: Matrix;
  /** Mean of W (x - y): by how much the outputs would be short with the float weights. */
  readonly shortfall: Float64Array;
  /** Covariance of W (x - y) and y, [outputs, inputs]; or the mean of their products. */
  readonly cross: Matrix;
  readonly samples: number;
}

/** Options of `gatherMoments`. */
export interface GatherOptions {
  readonly runtime: Runtime;
  readonly data: CalibrationData;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** Runs float model and draft side by side over the data, and returns the moments of each layer, group by group. */
export async function gatherMoments(
  draft: Draft,
  layers: readonly Layer[],
  isCentred: (layer: Layer) => boolean,
  { runtime, data, seed, signal }: GatherOptions,
): Promise<ReadonlyMap<Layer, GroupMoments[]>> {
  const session = await runtime.createSession(writeModel(momentsProgram(draft, layers)), { keepQuantization: true });
  const random = seededRandom(seed);
  const sums = layers.map((layer) => new Sums(productSizes(layer)));
  try {
    for await (const feeds of data.batches()) {
      signal?.throwIfAborted();
      const results = await session.run({ ...feeds, [PLACES_INPUT]: placesTensor(random.uniform) });
      for (const [i, sum] of sums.entries()) sum.add(OUTPUTS.map((name) => results[`${name}.${i}`]!));
    }
  } finally {
    await session.release();
  }
  return new Map(layers.map((layer, i) => [layer, sums[i]!.moments(isCentred(layer))]));
}

/** Outputs of each layer, in the order of `Sums.add`. */
const OUTPUTS = ["gram", "cross", "inputs", "shortfall", "samples"] as const;

function momentsProgram(draft: Draft, layers: readonly Layer[]): Program {
  const float = cloneProgram(draft.program);
  const simulation = simulateDraft(draft);
  const emitter = new Emitter();
  const places = new Value(PLACES_INPUT, "float32", [MOST_PLACES]);
  const outputs = layers.flatMap((layer, i) => {
    const x = float.values.get(layer.input)!;
    const y = simulation.locate(layer.input);
    const [columns, differences] = inputColumns([y, emitter.emit("Sub", [x, y])], layer, emitter, places) as [
      Value,
      Value,
    ];
    const { groups, outputs: rows, inputs } = productSizes(layer);
    const weights = emitter.constant("weights", float32([groups, rows, inputs], weightRows(layer)));
    const short = emitter.emit("MatMul", [weights, differences]);
    const transposed = emitter.emit("Transpose", [columns], { attributes: { perm: [0, 2, 1] } });
    const output = (name: (typeof OUTPUTS)[number]) => ({ output: `${name}.${i}`, dtype: "float32" as const });
    const shape = { shape: [null, null, null] };
    return [
      emitter.emit("MatMul", [columns, transposed], { ...output("gram"), ...shape }),
      emitter.emit("MatMul", [short, transposed], { ...output("cross"), ...shape }),
      sumOverSamples(emitter, columns, output("inputs")),
      sumOverSamples(emitter, short, output("shortfall")),
      emitter.emit("Shape", [columns], { ...output("samples"), dtype: "int64", shape: [3] }),
    ];
  });
  const joined = joinPrograms(float.program, simulation.program, emitter, outputs);
  joined.graph.inputs.push(places);
  removeDeadNodes(joined.graph);
  return joined;
}

function sumOverSamples(emitter: Emitter, x: Value, options: { output: string; dtype: "float32" }): Value {
  const axes = emitter.constant("axes", int64([2]));
  return emitter.emit("ReduceSum", [x, axes], { ...options, shape: [null, null], attributes: { keepdims: 0 } });
}

/** One layer's sums over batches, in float32: they go through float32 factors anyway, and the largest are of 2^24 numbers. */
class Sums {
  readonly #sizes: ProductSizes;
  #totals: Float32Array[] | undefined;
  #samples = 0;

  constructor(sizes: ProductSizes) {
    this.#sizes = sizes;
  }

  /** Adds the outputs of a batch. */
  add(outputs: readonly Tensor[]): void {
    const arrays = outputs.slice(0, -1).map(({ data }) => data as Float32Array);
    this.#samples += Number((outputs.at(-1)!.data as BigInt64Array)[2]);
    if (!this.#totals) this.#totals = arrays.map((array) => array.slice());
    else for (const [i, total] of this.#totals.entries()) add(total, arrays[i]!);
  }

  moments(centred: boolean): GroupMoments[] {
    const { groups, outputs, inputs } = this.#sizes;
    const samples = this.#samples;
    const totals = this.#totals!;
    for (const total of totals) for (let i = 0; i < total.length; i++) total[i]! /= samples;
    const [gram, cross, means, shortfall] = totals as [Float32Array, Float32Array, Float32Array, Float32Array];
    return Array.from({ length: groups }, (_, group) => {
      const of = (total: Float32Array, size: number) => total.subarray(group * size, (group + 1) * size);
      const found: GroupMoments = {
        means: Float64Array.from(of(means, inputs)),
        gram: { rows: inputs, columns: inputs, data: of(gram, inputs * inputs) },
        shortfall: Float64Array.from(of(shortfall, outputs)),
        cross: { rows: outputs, columns: inputs, data: of(cross, outputs * inputs) },
        samples,
      };
      if (centred) {
        subtractProduct(found.gram, found.means, found.means);
        subtractProduct(found.cross, found.shortfall, found.means);
      }
      return found;
    });
  }
}

function add(total: Float32Array, values: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
}

function subtractProduct({ columns, data }: Matrix, left: Float64Array, right: Float64Array): void {
  for (let at = 0, i = 0; i < left.length; i++) {
    for (let j = 0; j < columns; j++, at++) data[at]! -= left[i]! * right[j]!;
  }
}
