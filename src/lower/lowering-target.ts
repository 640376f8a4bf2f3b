/** Finding out what a runtime can do that lowerings may use. */
import { Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { channelsToBlocks, NCHWC } from "./blocked/nchwc.ts";
import type { LoweringTable } from "./forms/lowering-table.ts";
import { multipliesBytes } from "./integer/multiplies-bytes.ts";
import { lowerProgram } from "./lower-program.ts";
import type { LoweringTarget } from "./lowering.ts";

/** What programs are lowered by besides the runtime. */
export interface LoweringTargetOptions {
  /** Which forms of operators are fastest on this machine: what tuneLowering measured. Default: what we measured. */
  readonly table?: LoweringTable;
  /**
   * How quantized products are computed: as products of bytes where the runtime forms those right, or always in float. Default
   * "integer".
   */
  readonly quantized?: "integer" | "simulated";
}

const known = new WeakMap<Runtime, Promise<number | undefined>>();
const integers = new WeakMap<Runtime, Promise<boolean>>();

/**
 * Returns what to lower programs for: the runtime's device, and whether it has convolutions on channels in blocks. Those are
 * looked for and tried out once per runtime, which takes a few hundredths of a second.
 *
 * @example
 * lowerProgram(program, await loweringTarget(runtime));
 */
export async function loweringTarget(
  runtime: Runtime,
  { table, quantized = "integer" }: LoweringTargetOptions = {},
): Promise<LoweringTarget> {
  const { device } = runtime;
  const search = known.get(runtime) ?? (device === "cpu" ? findChannelBlock(runtime) : Promise.resolve(undefined));
  known.set(runtime, search);
  const channelBlock = await search;
  const trial = integers.get(runtime) ?? (device === "webgpu" ? Promise.resolve(false) : multipliesBytes(runtime));
  integers.set(runtime, trial);
  const hasIntegerProducts = quantized === "integer" && (await trial);
  return {
    device,
    ...(channelBlock && { channelBlock }),
    ...(hasIntegerProducts && { hasIntegerProducts }),
    ...(table && { table }),
  };
}

/** Blocks are 16 channels with AVX-512 and on ARM64, 8 with AVX; builds without blocked kernels answer with less or not at all. */
async function findChannelBlock(runtime: Runtime): Promise<number | undefined> {
  try {
    const block = await measuredBlock(runtime);
    return block !== undefined && block >= 8 && (await computesTheSame(runtime, block)) ? block : undefined;
  } catch {
    // The operators are ONNX Runtime's own affair: a release without them is no failure, only slower.
    return undefined;
  }
}

/** Reads the block from where two places of numbered channels end up. */
async function measuredBlock(runtime: Runtime): Promise<number | undefined> {
  const channels = 64;
  const ops = new Ops();
  const x = ops.input("x", "float32", [1, channels, 2, 1]);
  ops.writer.graph.outputs.push(ops.identity(channelsToBlocks(ops, x, [1, channels, 2])));
  const program = new Program(ops.writer.graph, [...ops.writer.opsets, [NCHWC, 1]]);
  program.opsets.delete("modicum");
  const order = Float32Array.from({ length: 2 * channels }, (_, index) => index);
  const [moved] = await run(runtime, program, { x: float32([1, channels, 2, 1], order) });
  const block = moved!.indexOf(1);
  return channels % block === 0 ? block : undefined;
}

/** Runs a step of a small network in both layouts: strides, groups of a sum, shortcuts and statistics take part. */
async function computesTheSame(runtime: Runtime, block: number): Promise<boolean> {
  const [plain, blocked] = [trial(block), trial(block)];
  lowerProgram(plain.program, { device: "cpu" });
  lowerProgram(blocked.program, { device: "cpu", channelBlock: block });
  const [expected, got] = [
    await run(runtime, plain.program, plain.feeds),
    await run(runtime, blocked.program, blocked.feeds),
  ];
  return expected.every((values, output) => {
    const scale = Math.max(...values.map(Math.abs));
    return values.every((value, index) => Math.abs(value - got[output]![index]!) <= 1e-4 * scale);
  });
}

function trial(block: number): { program: Program; feeds: Record<string, Tensor> } {
  const ops = new Ops();
  const random = seededRandom(1);
  const feeds: Record<string, Tensor> = {};
  const input = (name: string, shape: readonly number[]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    feeds[name] = float32(
      shape,
      Float32Array.from({ length: count }, () => random.normal()),
    );
    return ops.input(name, "float32", shape);
  };
  const settings = { domain: "modicum" };
  const window = { strides: [2, 2], pads: [1, 1, 1, 1] };
  const [picture, first, second] = [
    input("picture", [block, 3, 6, 6]),
    input("first", [block, 3, 3, 3]),
    input("second", [2 * block, block, 3, 3]),
  ];
  const x = ops.relu(ops.conv(picture, first, undefined, { pads: [1, 1, 1, 1] }));
  const y = ops.relu(ops.add(ops.conv(x, second, undefined, window), input("shortcut", [block, 2 * block, 3, 3])));
  const dw = ops.emit("ConvWeightGradient", [x, y], { ...window, weight_shape: ops.shapeOf(second) }, settings);
  const dx = ops.emit("ConvInputGradient", [y, second], { ...window, input_shape: ops.shapeOf(x) }, settings);
  const mean = ops.reduceMean(ops.emit("ReluGradient", [dx, x], {}, settings), { axes: [0, 2, 3] });
  ops.writer.graph.outputs = [ops.identity(y), ops.identity(dw), ops.identity(mean)];
  return { program: new Program(ops.writer.graph, ops.writer.opsets), feeds };
}

async function run(runtime: Runtime, program: Program, feeds: Record<string, Tensor>): Promise<Float64Array[]> {
  const session = await runtime.createSession(writeModel(program), { threads: 1 });
  try {
    const results = await session.run(feeds);
    return session.outputNames.map((name) => Float64Array.from(toNumbers(results[name]!)));
  } finally {
    await session.release();
  }
}
