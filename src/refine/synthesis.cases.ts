/** A small network whose batch normalizations know the statistics of given pictures, for tests. */
import { writeModel } from "../onnx/index.ts";
import type { Program, Shape } from "../program/index.ts";
import { numbers, programOf, runtime, weights } from "../quantize/small-models.cases.ts";
import { float32, seededRandom, type Tensor } from "../tensor/index.ts";

/** Mean and variance of each channel. */
export interface ChannelMoments {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

const CHANNELS = 6;
const SIDE = 8;

/** Pictures of stripes whose colours go together: nothing like independent noise. */
export function stripes(count: number, seed: number): Tensor {
  const random = seededRandom(seed);
  const data = new Float32Array(count * 3 * SIDE * SIDE);
  for (let picture = 0; picture < count; picture++) {
    const [phase, angle, brightness] = [random.uniform() * 6, random.uniform() * 3, random.normal()];
    for (let place = 0; place < SIDE * SIDE; place++) {
      const along = Math.cos(angle) * (place % SIDE) + Math.sin(angle) * Math.floor(place / SIDE);
      const wave = Math.sin(along + phase) + 0.5 * brightness;
      for (let c = 0; c < 3; c++)
        data[(picture * 3 + c) * SIDE * SIDE + place] = wave * (1 + c) + 0.1 * random.normal();
    }
  }
  return float32([count, 3, SIDE, SIDE], data);
}

/** Two convolutions, each with a batch normalization of the given statistics; those that are absent are 0 and 1. */
export function network(known: readonly ChannelMoments[], input: Shape = ["N", 3, SIDE, SIDE]): Program {
  return programOf({ x: input }, (e, { x }) => {
    let value = x!;
    for (const [index, channels] of [3, CHANNELS].entries()) {
      const { mean, variance } = known[index] ?? { mean: Array(CHANNELS).fill(0), variance: Array(CHANNELS).fill(1) };
      const kernel = weights(`w${index}`, [CHANNELS, channels, 3, 3], 0.3);
      const convolved = e.emit("Conv", [value, kernel], { attributes: { pads: [1, 1, 1, 1] } });
      const parameters = [Array(CHANNELS).fill(1), Array(CHANNELS).fill(0.2), mean, variance];
      const inputs = parameters.map((values, i) => numbers(`n${index}.${i}`, [CHANNELS], values));
      value = e.emit("Relu", [e.emit("BatchNormalization", [convolved, ...inputs])]);
    }
    return [e.emit("GlobalAveragePool", [value])];
  });
}

/** Mean and variance of the input of each batch normalization over the pictures. */
export async function momentsOf(program: Program, pictures: Tensor): Promise<ChannelMoments[]> {
  const { graph } = program;
  const outputs = graph.outputs;
  graph.outputs = graph.nodes.filter((node) => node.operator === "BatchNormalization").map((node) => node.input(0));
  const names = graph.outputs.map(({ name }) => name);
  const session = await runtime.createSession(writeModel(program));
  graph.outputs = outputs;
  const results = await session.run({ x: pictures });
  await session.release();
  return names.map((name) => channelMoments(results[name]!));
}

/** The network that knows the statistics of the pictures, as after training on them. */
export async function networkOf(pictures: Tensor): Promise<{ program: Program; known: readonly ChannelMoments[] }> {
  const [first] = await momentsOf(network([]), pictures);
  const [, second] = await momentsOf(network([first!]), pictures);
  const known = [first!, second!];
  return { program: network(known), known };
}

function channelMoments({ shape, data }: Tensor): ChannelMoments {
  const [count, channels, ...sides] = shape as [number, number, ...number[]];
  const places = sides.reduce((a, b) => a * b, 1);
  const of = (channel: number): number[] =>
    Array.from({ length: count * places }, (_, i) => {
      const picture = Math.floor(i / places);
      return Number(data[(picture * channels + channel) * places + (i % places)]);
    });
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const all = Array.from({ length: channels }, (_, channel) => of(channel));
  const mean = all.map(average);
  return { mean, variance: all.map((values, c) => average(values.map((value) => (value - mean[c]!) ** 2))) };
}
