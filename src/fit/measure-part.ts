/** Loss and accuracy on a part of the data. */
import { DataError } from "../errors.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import type { CompiledEvaluation } from "../train/index.ts";
import type { EvaluationResult } from "./run-event.ts";
import type { EvaluationPart } from "./training-plan.ts";

/**
 * Measures a network on all batches of a part: adds up what its evaluation gives (`classificationMetrics`) in float64.
 *
 * @throws DataError if no sample of the part counts.
 * @throws The signal's reason if it is aborted, between batches.
 */
export async function measurePart(
  { split, batches }: EvaluationPart,
  evaluation: CompiledEvaluation,
  variables: Readonly<Record<string, Tensor>>,
  signal?: AbortSignal,
): Promise<EvaluationResult> {
  const sums = new Map<string, Float64Array>();
  for await (const batch of batches()) {
    signal?.throwIfAborted();
    for (const [name, tensor] of Object.entries(await evaluation.run(batch, variables))) {
      const numbers = toNumbers(tensor);
      const sum = sums.get(name);
      if (sum) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + numbers[i]!;
      else sums.set(name, Float64Array.from(numbers));
    }
  }
  const sumOf = (name: string): number | undefined => sums.get(name)?.[0];
  const count = sumOf("weight") ?? 0;
  if (!(count > 0))
    throw new DataError(`fit: the ${split} samples must be at least one, got weights that sum to ${count}.`);
  const right5 = sumOf("right5");
  const confusion = sums.get("confusion");
  return {
    loss: sumOf("loss")! / count,
    top1: (100 * sumOf("right")!) / count,
    ...(right5 !== undefined && { top5: (100 * right5) / count }),
    count,
    ...(confusion && { confusion: rowsOf(confusion) }),
  };
}

/** A square matrix as rows. */
function rowsOf(matrix: Float64Array): number[][] {
  const side = Math.sqrt(matrix.length);
  return Array.from({ length: side }, (_, row) => [...matrix.subarray(row * side, (row + 1) * side)]);
}
