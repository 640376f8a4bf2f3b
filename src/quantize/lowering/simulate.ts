/** Lowering to plain float arithmetic that computes what quantized arithmetic would: for settings no runtime executes. */
import { floatTensor } from "../../prepare/index.ts";
import { Emitter, type Node, type Value } from "../../program/index.ts";
import { float32 } from "../../tensor/index.ts";
import { type Grid, highestCode } from "../grid.ts";
import { insertAfterValues } from "./insert-after-values.ts";
import type { LoweredProgram, QuantizationPlan } from "./plan.ts";
import type { BiasedLayer } from "./weight-constants.ts";
import { useWeights } from "./weight-only.ts";

/** One grid for a tensor, or one for each channel of an axis. */
export interface SimulatedGrid {
  readonly grids: readonly Grid[];
  /** Axis of the channels; not used when there is one grid. */
  readonly channelAxis: number;
}

/** What a simulation needs beyond a plan: grids that may differ by channel, and weights as the floats they stand for. */
export interface SimulationPlan extends Pick<QuantizationPlan, "program"> {
  readonly grids: ReadonlyMap<Value, SimulatedGrid>;
  /** By node: a recurrent node has two. */
  readonly layers: ReadonlyMap<Node, readonly SimulatedLayer[]>;
}

/** A layer with weights on their grid (or beside it, after bias correction), as floats in the layout of the original. */
export interface SimulatedLayer extends BiasedLayer {
  readonly floats: Float32Array;
}

/**
 * Rewrites the plan's program in place: weights baked as floats, and after each quantized activation
 * `(clip(floor(x / scale + zeroPoint + 1/2), 0, 2^bits - 1) - zeroPoint) * scale`.
 *
 * Only Div, Add, Floor, Max, Min, Sub and Mul: every execution provider has them, and no optimizer takes them for
 * quantization that it may rewrite, as it does with QuantizeLinear.
 */
export function lowerToSimulation(plan: SimulationPlan): LoweredProgram {
  const emitter = new Emitter();
  const values = insertAfterValues(plan.program, plan.grids, emitter, {
    insert: (value, grid) => fakeQuantize(value, grid, emitter),
    before: (node) => {
      for (const simulated of plan.layers.get(node) ?? []) {
        const { name, constant } = simulated.layer.weight;
        const weights = floatTensor(constant!.dtype, constant!.shape, simulated.floats);
        useWeights(simulated, emitter.constant(`${name}_simulated`, weights), emitter);
      }
    },
  });
  return { program: plan.program, values };
}

function fakeQuantize(value: Value, { grids, channelAxis }: SimulatedGrid, emitter: Emitter): Value {
  const perChannel = (name: string, numberOf: (grid: Grid) => number): Value => {
    const shape = grids.length === 1 ? [] : value.shape!.map((_, axis) => (axis === channelAxis ? grids.length : 1));
    return emitter.constant(`${value.name}_${name}`, float32(shape, grids.map(numberOf)));
  };
  const options = { dtype: "float32" as const, shape: value.shape };
  const scale = perChannel("scale", (grid) => grid.scale);
  const zeroPoint = perChannel("zero_point", (grid) => grid.zeroPoint);
  const shifted = emitter.emit(
    "Add",
    [emitter.emit("Div", [value, scale], options), perChannel("offset", (grid) => grid.zeroPoint + 0.5)],
    options,
  );
  const rounded = emitter.emit("Floor", [shifted], options);
  const atLeast = emitter.emit("Max", [rounded, perChannel("lowest", (grid) => grid.lowestCode)], options);
  const codes = emitter.emit("Min", [atLeast, perChannel("highest", highestCode)], options);
  return emitter.emit("Mul", [emitter.emit("Sub", [codes, zeroPoint], options), scale], {
    ...options,
    output: `${value.name}_simulated`,
  });
}
