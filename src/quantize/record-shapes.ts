/** Shapes that inference could not find, recorded from one run of the model. */
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, Emitter, type Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { isFloat } from "../tensor/index.ts";
import type { Feeds } from "./options.ts";

/**
 * Fills in the ranks and channel lengths that shape inference left open (after operators without a rule, or behind shapes
 * computed from data), by running the program once with the shapes as outputs. Other lengths stay unknown: they may differ
 * from sample to sample.
 *
 * @returns How many values were filled in.
 * @throws RuntimeFailure if ONNX Runtime cannot run the program.
 */
export async function recordShapes(program: Program, feeds: Feeds, runtime: Runtime): Promise<number> {
  const produced = program.graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== undefined));
  const open = produced.filter(
    (value) => (value.dtype === undefined || isFloat(value.dtype)) && !value.otherType && isOpen(value),
  );
  if (open.length === 0) return 0;
  const { program: copy, values } = cloneProgram(program);
  const emitter = new Emitter();
  const options = (index: number) => ({ output: `modicum.shape.${index}`, dtype: "int64" as const, shape: [null] });
  const shapes = open.map((value, index) => emitter.emit("Shape", [values.get(value)], options(index)));
  copy.graph.nodes.push(...emitter.nodes);
  copy.graph.outputs = shapes;
  const session = await runtime.createSession(writeModel(copy));
  try {
    const results = await session.run(feeds);
    open.forEach((value, index) => {
      fillIn(value, Array.from(results[shapes[index]!.name]!.data as BigInt64Array, Number));
    });
  } finally {
    await session.release();
  }
  return open.length;
}

/** The axis that quantization needs the length of: channels of feature maps, features of everything else. */
export function channelAxisOf(value: Value): number {
  return isFeatureMap(value) ? 1 : -1;
}

/** Whether a value is [batch, channels, ...places]. */
export function isFeatureMap(value: Value): boolean {
  const rank = value.shape?.length ?? 0;
  return rank >= 4 || (rank === 3 && value.producer?.operator === "Conv");
}

function isOpen(value: Value): boolean {
  return (
    value.shape === undefined || (value.shape.length > 0 && typeof value.shape.at(channelAxisOf(value)) !== "number")
  );
}

function fillIn(value: Value, recorded: readonly number[]): void {
  const known = value.shape;
  value.dtype ??= "float32";
  value.shape = recorded.map(() => null);
  const axis = (channelAxisOf(value) + recorded.length) % Math.max(1, recorded.length);
  value.shape = recorded.map((length, at) => (at === axis ? length : (known?.[at] ?? null)));
}
