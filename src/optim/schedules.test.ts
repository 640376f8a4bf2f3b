import { describe, expect, it } from "vitest";
import { reference } from "../../test/nn/reference.ts";
import type { Schedule } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import {
  constant,
  cosine,
  cosineRestarts,
  multiStepDecay,
  oneCycle,
  polynomial,
  stepDecay,
  warmup,
} from "./schedules.ts";

const learningRate = 0.4;
const schedules: Readonly<Record<string, Schedule>> = {
  stepDecay: stepDecay({ learningRate, every: 3, factor: 0.5 }),
  multiStepDecay: multiStepDecay({ learningRate, milestones: [2, 7] }),
  cosine: cosine({ learningRate, steps: 11, minimum: 0.1 }),
  cosineRestarts: cosineRestarts({ learningRate, steps: 4, minimum: 0.1 }),
  "cosineRestarts that grow": cosineRestarts({ learningRate, steps: 2, growth: 2 }),
  oneCycle: oneCycle({ maximum: 0.4, steps: 12 }),
  "oneCycle of lines in three phases": oneCycle({ maximum: 0.4, steps: 20, threePhase: true, shape: "linear" }),
  "oneCycle with divisors": oneCycle({ maximum: 0.4, steps: 12, riseFraction: 0.5, startDivisor: 10, endDivisor: 100 }),
  polynomial: polynomial({ learningRate, steps: 8, power: 2 }),
  warmup: warmup(4, cosine({ learningRate, steps: 8 })),
  "warmup from a tenth": warmup(3, constant(learningRate), { startFactor: 0.1 }),
};

describe("schedules", () => {
  it("are all compared with PyTorch's", () => {
    expect(Object.keys(schedules).sort()).toEqual(Object.keys(reference.schedules).sort());
  });

  it.each(Object.entries(schedules))("%s gives PyTorch's learning rates", (title, schedule) => {
    // PyTorch multiplies from step to step, and rounds at each.
    reference.schedules[title]!.forEach((rate, step) => {
      expect(Math.abs(schedule(step) - rate), `step ${step}`).toBeLessThan(1e-11);
    });
  });

  it("stay at their last learning rate", () => {
    expect(cosine({ learningRate, steps: 10, minimum: 0.1 })(1000)).toBeCloseTo(0.1, 15);
    expect(polynomial({ learningRate, steps: 10 })(1000)).toBe(0);
    const cycle = oneCycle({ maximum: 0.4, steps: 10 });
    expect(cycle(1000)).toBe(cycle(9));
    expect(constant(0.3)(1000)).toBe(0.3);
  });

  it("of few steps are numbers", () => {
    for (const steps of [1, 2, 3, 4, 10]) {
      const rates = Array.from({ length: steps }, (_, step) => oneCycle({ maximum: 0.4, steps })(step));
      expect(rates.every(Number.isFinite)).toBe(true);
    }
  });

  it.each([
    ["stepDecay: every", () => stepDecay({ learningRate, every: 0 })],
    ["cosine: steps", () => cosine({ learningRate, steps: 0 })],
    ["cosineRestarts: steps", () => cosineRestarts({ learningRate, steps: 0 })],
    ["cosineRestarts: growth", () => cosineRestarts({ learningRate, steps: 1, growth: 0 })],
    ["oneCycle: steps", () => oneCycle({ maximum: 1, steps: 0 })],
    ["polynomial: steps", () => polynomial({ learningRate, steps: 0 })],
    ["warmup: steps", () => warmup(0, constant(1))],
  ])("refuse 0 for %s", (what, act) => {
    expect(act).toThrow(OptionError);
    expect(act).toThrow(`${what} must be a whole number of at least 1, got 0.`);
  });

  it("refuse a rise of more than all steps", () => {
    expect(() => oneCycle({ maximum: 1, steps: 9, riseFraction: 1.1 })).toThrow(
      "oneCycle: riseFraction must be in [0, 1], got 1.1.",
    );
  });
});
