/** Held tensors of ONNX Runtime's packages: over GPU memory where the session computed there, else over its result as it is. */
import type { Tensor as OrtTensor } from "onnxruntime-common";
import type { DType, Tensor } from "../tensor/index.ts";
import { copyOfOrtTensor, isOnHost } from "./ort-tensor.ts";
import type { HeldTensor } from "./session.ts";

/** A tensor of ONNX Runtime's own, kept to be fed again. */
export class HeldOrtTensor implements HeldTensor {
  readonly ortTensor: OrtTensor;
  readonly dtype: DType;
  readonly shape: readonly number[];
  #onRelease: (() => void) | undefined;

  /** @param onRelease Called once, when nobody needs host memory any more. */
  constructor(ortTensor: OrtTensor, onRelease?: () => void) {
    this.ortTensor = ortTensor;
    this.#onRelease = onRelease;
    this.dtype = ortTensor.type;
    this.shape = ortTensor.dims;
  }

  read(): Promise<Tensor> {
    return copyOfOrtTensor(this.ortTensor);
  }

  release(): void {
    if (!isOnHost(this.ortTensor)) this.ortTensor.dispose();
    this.#onRelease?.();
    this.#onRelease = undefined;
  }
}
