/** Every operator's gradient rule, against central differences in float64. */
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { gradientFamilies, noGradient } from "../src/gradients/index.ts";
import { findOperator } from "../src/ops/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { gradientCases } from "./gradients/cases.ts";
import { checkGradient } from "./gradients/check-gradient.ts";
import { apart, type GradientCase, normal } from "./gradients/gradient-case.ts";

const cases = Object.values(gradientCases).flat();

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
}, 60_000);

describe("gradients", () => {
  it.each(cases.map((subject) => [subject.title, subject] as const))("%s", async (_, subject) => {
    expect(await checkGradient(subject, runtime)).toEqual([]);
  });

  it("all have a case", () => {
    const covered = new Set(cases.flatMap((subject) => subject.covers));
    const names = Object.values(gradientFamilies).flatMap((family) => Object.keys(family));
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it("exist for 110 of ONNX's own operators and more, not counting those that are zero", () => {
    const standard = Object.values(gradientFamilies)
      .flatMap((family) => Object.entries(family))
      .filter(([name, rule]) => !name.includes(":") && rule !== noGradient);
    expect(standard.length).toBeGreaterThanOrEqual(110);
  });

  it("are of operators whose shapes are known", () => {
    const names = Object.values(gradientFamilies).flatMap((family) => Object.keys(family));
    const isKnown = (name: string) => {
      const [operator, domain = ""] = name.split(":").reverse() as [string, string?];
      return findOperator(operator, domain) !== undefined;
    };
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
  });

  it("are listed under the name of the file they are in", () => {
    const fileOf = (family: string) => new URL(`../src/gradients/rules/${family}.ts`, import.meta.url);
    expect(Object.keys(gradientFamilies).filter((family) => !existsSync(fileOf(family)))).toEqual([]);
  });

  it("are listed once each, under one family", () => {
    const names = Object.values(gradientFamilies).flatMap((family) => Object.keys(family));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const titles = cases.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});

describe("the check of gradients fails when", () => {
  /** y = x^2 with a gradient of our choice. */
  const square = (factor: number, more: Partial<GradientCase> = {}): GradientCase => ({
    title: "square",
    covers: [],
    inputs: [apart([2, 3])],
    build: (ops, x) => ops.customGradient([x], [ops.mul(x, x)], ({ dy }) => [ops.mul(dy, ops.mul(x, factor))])[0]!,
    ...more,
  });

  it("a gradient is wrong", async () => {
    expect(await checkGradient(square(2), runtime)).toEqual([]);
    expect(await checkGradient(square(2.00001), runtime)).toEqual([expect.stringMatching(/first gradient.*off by 5/)]);
  });

  it("a gradient of the gradient is wrong", async () => {
    const cube = (factor: number): GradientCase => ({
      ...square(0),
      build: (ops, x) =>
        ops.customGradient([x], [ops.mul(x, ops.mul(x, x))], ({ dy }) => [
          ops.customGradient([x, dy], [ops.mul(dy, ops.mul(ops.mul(x, x), 3))], (inner) => [
            ops.mul(inner.dy, ops.mul(ops.mul(x, dy), factor)),
            ops.mul(inner.dy, ops.mul(ops.mul(x, x), 3)),
          ])[0]!,
        ])[0]!,
      second: true,
    });
    expect(await checkGradient(cube(6), runtime)).toEqual([]);
    expect(await checkGradient(cube(6.0001), runtime)).toEqual([expect.stringMatching(/second gradient/)]);
  });

  it("a gradient is missing", async () => {
    const lost = square(2, { build: (ops, x) => ops.customGradient([x], [ops.mul(x, x)], () => [])[0]! });
    expect(await checkGradient(lost, runtime)).toEqual([expect.stringMatching(/off by 1/)]);
  });

  it("a tolerance is tighter than the differences are right", async () => {
    const wave = square(0, {
      build: (ops, x) => ops.customGradient([x], [ops.sin(x)], ({ dy }) => [ops.mul(dy, ops.cos(x))])[0]!,
    });
    expect(await checkGradient(wave, runtime)).toEqual([]);
    expect(await checkGradient({ ...wave, tolerance: 1e-16 }, runtime)).not.toEqual([]);
  });

  it("a gradient has another shape or element type", async () => {
    const summed = square(2, {
      inputs: [normal([2, 3])],
      build: (ops, x) => ops.customGradient([x], [x], ({ dy }) => [ops.reduceSum(dy, { axes: [0] })])[0]!,
    });
    expect(await checkGradient(summed, runtime)).toEqual([expect.stringMatching(/built as float64 \[1, 3\]/)]);
    const cast = square(2, {
      build: (ops, x) => ops.customGradient([x], [x], ({ dy }) => [ops.cast(dy, "float32")])[0]!,
    });
    expect(await checkGradient(cast, runtime)).toEqual([expect.stringMatching(/built as float32/)]);
  });

  it("the closed form is another one", async () => {
    const closed = square(2, { closedForm: (x) => [x.map((value) => 2 * value)] });
    expect(await checkGradient(closed, runtime)).toEqual([]);
    const wrong = square(2, { closedForm: (x) => [x.map((value) => 2 * value + 1e-8)] });
    expect(await checkGradient(wrong, runtime)).toEqual([expect.stringMatching(/closed form/)]);
  });
});
