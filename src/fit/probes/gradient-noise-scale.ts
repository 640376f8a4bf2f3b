/** The batch size up to which larger batches pay: the gradient noise scale. */
import { OptionError } from "../../errors.ts";
import { Tensor, toNumbers } from "../../tensor/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import type { Batch } from "../training-plan.ts";
import { compileObserver, type Observer } from "./observer.ts";

/** Squares that the gradient noise scale is the quotient of; both may be averaged over measurements, their quotient may not. */
export interface GradientSquares {
  /** Estimate of |G|^2, the squared norm of the true gradient; negative where noise drowns it. */
  readonly gradientSquared: number;
  /** Estimate of tr(S), the variance of samples' gradients summed over all parameters. */
  readonly noise: number;
}

const SLOT = "observedGradient";

/**
 * Returns a probe of the gradient noise scale tr(S) / |G|^2: about the batch size up to which twice the batch saves nearly half the
 * steps, and beyond which it saves little. It measures `gradientSquared`, `noise` and, where the first is positive, their
 * quotient `criticalBatch`; from one batch it is rough, so use `criticalBatch` on many measurements.
 *
 * The batch of the last step, of M samples, is cut into `parts` of m, and the gradient g_k of each is computed by itself. With
 * G_M the mean of the g_k, E|G_M|^2 = |G|^2 + tr(S) / M and E|g_k|^2 = |G|^2 + tr(S) / m, so that
 *
 *   |G|^2 = (M |G_M|^2 - m mean|g_k|^2) / (M - m),  tr(S) = (mean|g_k|^2 - |G_M|^2) / (1/m - 1/M).
 *
 * Batch norms see one part at a time, as ghost batches do: the gradients are those of parts of m samples.
 *
 * @param options.parts At least 2; must divide the batch (with `chunks` each part must be a multiple of them). Default 4.
 * @throws OptionError if `parts` is not such a number; when it measures, if it does not divide the batch.
 * @see McCandlish, Kaplan, Amodei 2018, "An empirical model of large-batch training", arXiv:1812.06162, appendix A.1
 * @example
 * await fit(plan, { runtime, probes: { noise: gradientNoiseScale({ parts: 8 }, { steps: 50 }) } });
 */
export function gradientNoiseScale(
  { parts = 4 }: { readonly parts?: number } = {},
  every: ProbeInterval = { epochs: 1 },
): Probe {
  if (!Number.isInteger(parts) || parts < 2) {
    throw new OptionError(`gradientNoiseScale: parts must be a whole number of at least 2, got ${parts}.`);
  }
  let observer: Observer | undefined;
  return {
    every,
    async measure({ plan, runtime, batch, variables }) {
      const pieces = cut(batch, plan.batchSize, parts);
      observer ??= await compileObserver(plan, runtime, (context) => {
        for (const { parameter, gradient } of context.gradients()) {
          // Declared, so that it is one of the variables that come back.
          context.slot(parameter, SLOT);
          context.updateSlot(parameter, SLOT, gradient);
        }
      });
      const all = await variables();
      const sums = new Map<string, Float64Array>();
      let squares = 0;
      for (const piece of pieces) {
        await observer.restore(all);
        await observer.training.run(piece);
        for (const [path, tensor] of Object.entries(await observer.training.variables())) {
          if (!path.startsWith(`optimizer.${SLOT}.`)) continue;
          const numbers = toNumbers(tensor);
          const sum = sums.get(path) ?? new Float64Array(numbers.length);
          sums.set(path, sum);
          for (let i = 0; i < numbers.length; i++) {
            sum[i]! += numbers[i]!;
            squares += numbers[i]! ** 2;
          }
        }
      }
      let ofSums = 0;
      for (const sum of sums.values()) for (const x of sum) ofSums += x * x;
      const found = gradientSquares(plan.batchSize, parts, { whole: ofSums / parts ** 2, part: squares / parts });
      const quotient = criticalBatch([found]);
      return { ...found, ...(quotient !== undefined && { criticalBatch: quotient }) };
    },
    async release() {
      await observer?.training.release();
      observer = undefined;
    },
  };
}

/**
 * Returns the gradient noise scale of many measurements, the mean noise divided by the mean squared gradient; undefined where that is
 * not positive: more measurements are needed.
 *
 * @example
 * const batchSize = criticalBatch(events.flatMap((event) => (event.type === "probe" ? [event.values] : [])) as GradientSquares[]);
 */
export function criticalBatch(measured: readonly GradientSquares[]): number | undefined {
  const noise = measured.reduce((sum, one) => sum + one.noise, 0);
  const gradient = measured.reduce((sum, one) => sum + one.gradientSquared, 0);
  return gradient > 0 ? noise / gradient : undefined;
}

/** |G|^2 and tr(S) from the squared norms of the gradients of M samples and of M / parts. */
function gradientSquares(M: number, parts: number, { whole, part }: { whole: number; part: number }): GradientSquares {
  const m = M / parts;
  return { gradientSquared: (M * whole - m * part) / (M - m), noise: (part - whole) / (1 / m - 1 / M) };
}

function cut(batch: Batch, batchSize: number, parts: number): Batch[] {
  if (batchSize % parts !== 0) {
    throw new OptionError(`gradientNoiseScale: parts must divide the batch of ${batchSize} samples, got ${parts}.`);
  }
  return Array.from({ length: parts }, (_, part) =>
    Object.fromEntries(
      Object.entries(batch).map(([name, { dtype, shape, data }]) => {
        const length = data.length / parts;
        const numbers = data.slice(part * length, (part + 1) * length);
        return [name, new Tensor(dtype, [shape[0]! / parts, ...shape.slice(1)], numbers as typeof data)];
      }),
    ),
  );
}
