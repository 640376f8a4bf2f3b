import { describe, expect, it } from "vitest";
import { OptionError } from "../errors.ts";
import type { QuantizeOptions } from "./options.ts";
import { resolveSettings, settingsRecord } from "./settings.ts";
import { runtime } from "./small-models.cases.ts";

function settingsOf(options: Partial<Record<keyof QuantizeOptions, unknown>> = {}): Record<string, unknown> {
  return settingsRecord(resolveSettings({ runtime, ...options } as QuantizeOptions));
}

describe("resolveSettings", () => {
  it("fills in what the command line does: 8 bits, per tensor, for the cpu", () => {
    expect(settingsOf()).toMatchObject({
      weights: 8,
      activations: 8,
      target: "cpu",
      simulate: false,
      granularity: "tensor",
      weightAllocation: "none",
      activationAllocation: "none",
      correction: "mean",
      seed: 0,
    });
  });

  it("leaves activations in float for WebGPU, and takes everything of the paper in a simulation", () => {
    expect(settingsOf({ target: "webgpu" })).toMatchObject({ weights: 8, activations: 16 });
    expect(settingsOf({ simulate: true, weights: 4, activations: 4 })).toMatchObject({
      granularity: "channel",
      weightAllocation: "bits-optimal",
      activationAllocation: "bits-optimal",
    });
    expect(settingsOf({ simulate: true, granularity: "tensor" })).toMatchObject({ activationAllocation: "none" });
  });

  it("gives blocks of few bits zero points", () => {
    expect(settingsOf({ weights: 4 })).toMatchObject({ blockSize: 32, blockGrid: "asymmetric" });
    expect(settingsOf({ weights: 8 })).toMatchObject({ blockSize: 32, blockGrid: "symmetric" });
    expect(settingsOf({ weights: 3, blockSize: 128, blockGrid: "symmetric" })).toMatchObject({
      blockSize: 128,
      blockGrid: "symmetric",
    });
  });

  it("gives plain values, fit for a report", () => {
    const record = settingsOf({ simulate: true, range: "kl", policy: "uniform" });
    expect(record).toMatchObject({ range: "kl", policy: "uniform" });
    for (const value of Object.values(record)) expect(["string", "number", "boolean"]).toContain(typeof value);
  });

  const bits = (name: string, got: unknown): string =>
    `quantize: ${name} must be an integer from 2 to 8 bits, or 16 to stay in float, got ${got}.`;
  const simulated = (what: string): RegExp =>
    new RegExp(`^quantize: ${what} must be simulated\\. .*Add simulate \\(--simulate\\)`);

  it.each([
    [{ weights: 1 }, bits("weights", 1)],
    [{ weights: 9 }, bits("weights", 9)],
    [{ weights: 4.5 }, bits("weights", 4.5)],
    [{ weights: Number.NaN }, bits("weights", "NaN")],
    [{ activations: 1 }, bits("activations", 1)],
    [{ activations: 32 }, bits("activations", 32)],
    [{ blockSize: 48 }, "quantize: blockSize must be one of 16, 32, 64, 128, 256, got 48."],
    [{ blockGrid: "affine" }, 'quantize: blockGrid must be one of symmetric, asymmetric, got "affine".'],
    [{ activations: 4 }, simulated("activations of 4 bits")],
    [{ granularity: "channel" }, simulated("ranges per channel")],
    [{ weightAllocation: "plain" }, simulated("bit allocation")],
    [{ activationAllocation: "bits-optimal" }, simulated("bit allocation")],
    [{ target: "webgpu", activations: 8 }, /activations must stay in float \(16\) for target "webgpu", got 8/],
    [
      { simulate: true, granularity: "tensor", activationAllocation: "plain" },
      'quantize: activationAllocation must be "none" with granularity "tensor", got "plain".',
    ],
    [{ target: "tpu" }, 'quantize: target must be one of cpu, webgpu, portable, got "tpu".'],
    [{ range: "median" }, /range must be one of min-max, aciq-laplace, .*, got "median"/],
    [{ policy: "strict" }, /policy must be one of .*paper.*, got "strict"/],
    [{ correction: "median" }, /correction must be one of none, mean, mean-variance, mean-variance-paper, got "median"/],
    [{ variant: "exact" }, 'quantize: variant must be one of paper, levels, got "exact".'],
    [{ granularity: "row" }, 'quantize: granularity must be one of tensor, channel, got "row".'],
    [{ weightRange: "kl" }, 'quantize: weightRange must be one of min-max, mse, got "kl".'],
    [{ simulate: true, weightAllocation: "some" }, /weightAllocation must be one of none, plain, .*, got "some"/],
    [
      { weights: 16, activations: 8 },
      'quantize: weights must have at most 8 bits for activations of 8 bits, got 16: integer products take integers on both sides. Add simulate (--simulate) to quantize activations alone.',
    ],
    [{ weights: 16, activations: 16 }, "quantize: weights or activations must have at most 8 bits, got 16 for both: nothing would be quantized."],
    [{ weights: 16, target: "webgpu" }, "quantize: weights or activations must have at most 8 bits, got 16 for both: nothing would be quantized."],
    [{ simulate: true, weights: 16, activations: 16 }, "quantize: weights or activations must have at most 8 bits, got 16 for both: nothing would be quantized."],
    [{ seed: 0.5 }, "quantize: seed must be an integer from 0 to 4294967295, got 0.5."],
    [{ seed: -1 }, "quantize: seed must be an integer from 0 to 4294967295, got -1."],
  ] as const)("refuses %o", (options, message) => {
    expect(() => settingsOf(options)).toThrow(OptionError);
    expect(() => settingsOf(options)).toThrow(message);
  }); // biome-ignore format: a table

  it("quantizes activations alone in a simulation", () => {
    expect(settingsOf({ simulate: true, weights: 16, activations: 4 })).toMatchObject({ weights: 16, activations: 4 });
  });
});
