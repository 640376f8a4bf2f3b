/** Which form of an operator is fastest for which shapes: measurements, and how the nearest is found. */
import type { ConvolutionShape } from "./form.ts";

/** How long each form of an operator took for one shape. */
export interface FormTiming {
  /** As in the tables of lowerings: `modicum:ConvInputGradient`. */
  readonly operator: string;
  readonly shape: ConvolutionShape;
  /** Milliseconds by form. */
  readonly ms: Readonly<Record<string, number>>;
}

/** Measurements on one device of one machine. See tuneLowering. */
export interface LoweringTable {
  /** Engine and device that were measured, such as `onnxruntime-node 1.30.0, cpu`. */
  readonly runtime: string;
  readonly timings: readonly FormTiming[];
}

/** Weighs a difference that no factor of lengths makes up for: strides, groups, the number of axes. */
const APART = 100;

/** Returns an operator's forms, fastest first, as the measurement nearest to a shape says; undefined if there is none. */
export function rankedForms(table: LoweringTable, operator: string, shape: ConvolutionShape): string[] | undefined {
  let [best, least] = [undefined as FormTiming | undefined, Number.POSITIVE_INFINITY];
  for (const timing of table.timings) {
    const apart = timing.operator === operator ? distance(timing.shape, shape) : Number.POSITIVE_INFINITY;
    if (apart < least) [best, least] = [timing, apart];
  }
  return best && Object.keys(best.ms).sort((a, b) => best.ms[a]! - best.ms[b]!);
}

/** Sum of the factors between two shapes, in doublings. */
function distance(a: ConvolutionShape, b: ConvolutionShape): number {
  const doublings = (one: number, other: number) => Math.abs(Math.log2(one / other));
  const area = (lengths: readonly number[]) => lengths.reduce((product, length) => product * length, 1);
  const different = [a.stride > 1 !== b.stride > 1, a.group > 1 !== b.group > 1, a.kernel.length !== b.kernel.length];
  return (
    APART * different.filter(Boolean).length +
    doublings(a.inputs, b.inputs) +
    doublings(a.outputs, b.outputs) +
    doublings(area(a.lengths), area(b.lengths)) +
    2 * doublings(area(a.kernel), area(b.kernel)) +
    // The batch is only more of the same.
    doublings(a.examples, b.examples) / 4
  );
}
