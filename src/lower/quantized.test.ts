import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Ops } from "../build/index.ts";
import { compute, gaussian } from "../precision/precision.cases.ts";
import type { Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";

interface Case {
  readonly title: string;
  readonly lowest: number;
  readonly highest: number;
  readonly zeroPoint?: number;
  /** Shape of the noise. */
  readonly noise?: readonly number[];
  /** Of each column its own. */
  readonly channels?: boolean;
}

const SCALE = 0.05;

const cases: readonly Case[] = [
  { title: "unsigned bytes without zero point", lowest: 0, highest: 255 },
  { title: "unsigned bytes around a zero point", lowest: 0, highest: 255, zeroPoint: 130 },
  { title: "signed bytes", lowest: -128, highest: 127 },
  { title: "4 bits", lowest: 0, highest: 15, zeroPoint: 7 },
  { title: "3 signed bits", lowest: -4, highest: 3 },
  { title: "16 bits", lowest: -32768, highest: 32767 },
  { title: "noise of its own", lowest: -128, highest: 127, noise: [12, 6] },
  { title: "noise shared by examples", lowest: 0, highest: 255, zeroPoint: 99, noise: [3, 6] },
  { title: "noise of one example", lowest: 0, highest: 15, zeroPoint: 3, noise: [1, 6] },
  { title: "a scale for each channel", lowest: -128, highest: 127, channels: true },
  { title: "channels with noise", lowest: -8, highest: 7, channels: true, noise: [4, 6] },
];

function uniform(shape: readonly number[]): Tensor {
  const random = seededRandom(9);
  return float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform() - 0.5),
  );
}

/** The definition, in double precision. */
function expected(x: Tensor, { lowest, highest, zeroPoint = 0, noise, channels }: Case): number[] {
  const shift = noise && toNumbers(uniform(noise));
  return Array.from(toNumbers(x), (number, i) => {
    const scale = Math.fround(channels ? SCALE * (1 + (i % 6)) : SCALE);
    const u = number / scale + (shift ? shift[i % shift.length]! : 0);
    return (Math.min(highest, Math.max(lowest, Math.round(u) + zeroPoint)) - zeroPoint) * scale;
  });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "modicum:Quantized", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  const write = (subject: Case, x: Tensor) => (ops: Ops, input: (tensor: Tensor) => Value) => {
    const { lowest, highest, zeroPoint, noise, channels } = subject;
    const scale = channels
      ? float32(
          [1, 6],
          Float32Array.from({ length: 6 }, (_, c) => SCALE * (1 + c)),
        )
      : float32([], [SCALE]);
    const inputs = [
      input(x),
      input(scale),
      zeroPoint === undefined ? undefined : input(float32([], [zeroPoint])),
      noise && input(uniform(noise)),
    ];
    return [ops.emit("Quantized", inputs, { lowest, highest }, { domain: "modicum" })];
  };

  it.each(cases)("is what it is defined as, in bytes and in float: $title", async (subject) => {
    // Some of the numbers are beyond the codes.
    const x = gaussian([12, 6], 4, SCALE * (subject.highest - subject.lowest) * 0.6);
    const right = expected(x, subject);
    for (const device of ["cpu", "webgpu"] as const) {
      const { outputs, operators } = await compute(runtime, write(subject, x), { device });
      for (const [i, number] of toNumbers(outputs[0]!).entries())
        expect(Math.abs(number - right[i]!)).toBeLessThan(1e-6 * Math.max(1, Math.abs(right[i]!)));
      const isByte = device === "cpu" && !subject.channels && subject.highest - subject.lowest <= 255;
      expect(operators.includes("DequantizeLinear")).toBe(isByte);
    }
    expect(new Set(right).size).toBeGreaterThan(2);
  });

  it("clips codes that the byte would still hold", async () => {
    const x = float32([3], [-10, 0, 10]);
    const { outputs } = await compute(runtime, (ops, input) => [
      ops.emit("Quantized", [input(x), ops.scalar(1)], { lowest: -4, highest: 3 }, { domain: "modicum" }),
    ]);
    expect(Array.from(toNumbers(outputs[0]!))).toEqual([-4, 0, 3]);
  });
});
