/** Samples to batches. */
import { DataError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import type { Sample } from "./dataset.ts";

/** Stacks samples along a new first axis, name by name. @throws DataError if they differ in names, shape or element type. */
export function stackSamples(samples: readonly Sample[], where = "stackSamples"): Record<string, Tensor> {
  const [first] = samples;
  return Object.fromEntries(
    Object.entries(first ?? {}).map(([name, tensor]) => {
      const all = samples.map((sample) => sample[name]);
      const odd = all.find((one) => one?.dtype !== tensor.dtype || one.shape.join() !== tensor.shape.join());
      if (odd !== undefined || all.includes(undefined)) {
        throw new DataError(
          `${where}: samples of a batch must have one shape, got "${name}" as ${tensor.dtype} [${tensor.shape.join(", ")}] ` +
            `and ${odd ? `${odd.dtype} [${odd.shape.join(", ")}]` : "not at all"}.`,
        );
      }
      return [name, stack(all as Tensor[])];
    }),
  );
}

function stack(tensors: readonly Tensor[]): Tensor {
  const { dtype, shape, data } = tensors[0]!;
  if (Array.isArray(data))
    return new Tensor(
      dtype,
      [tensors.length, ...shape],
      tensors.flatMap((one) => one.data as string[]),
    );
  const all = new (data.constructor as new (length: number) => Exclude<Tensor["data"], string[]>)(
    data.length * tensors.length,
  );
  tensors.forEach((tensor, index) => {
    (all as Float32Array).set(tensor.data as Float32Array, index * data.length);
  });
  return new Tensor(dtype, [tensors.length, ...shape], all);
}
