/** Cases of layers: what every layer is checked on. */
import type { Layer } from "../../src/build/index.ts";
import { elementCount, int64, type Tensor } from "../../src/tensor/index.ts";
import { wave } from "./reference.ts";

/**
 * A layer and its input.
 *
 * @example
 * { title: "relu", layer: nn.relu(), shape: [2, 3] }
 */
export interface LayerCase {
  /** What pytorch_reference.py calls it. */
  readonly title: string;
  readonly layer: Layer;
  readonly shape: readonly number[];
  /** What x holds. Default: sines. */
  readonly input?: Tensor;
  /** Default true. */
  readonly training?: boolean;
  /** What the layer is called in messages, and an input of a rank it refuses. */
  readonly refuses?: readonly [name: string, shape: readonly number[]];
  /** What statistics hold before. */
  readonly statistics?: Readonly<Record<string, Tensor>>;
  /** Why it is not run on WebGPU. */
  readonly notOnWebGpu?: string;
  /** Why its gradient is not compared with differences. */
  readonly noDifferences?: string;
}

/** The input that a case runs on. */
export function inputOf({ shape, input }: LayerCase): Tensor {
  return input ?? wave(shape, 0.1);
}

/** Labels or symbols. */
export function integers(shape: readonly number[], values: readonly number[]): Tensor {
  if (elementCount(shape) !== values.length) throw new Error(`${values.length} numbers for [${shape.join(", ")}]`);
  return int64(values, shape);
}
