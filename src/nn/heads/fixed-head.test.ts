import { beforeAll, describe, expect, it } from "vitest";
import { checkGradient } from "../../../test/gradients/check-gradient.ts";
import { normal } from "../../../test/gradients/gradient-case.ts";
import { buildScope } from "../../../test/nn/build-scope.ts";
import { type RunResult, runLayer } from "../../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { type Layer, Scope, type VariableSource } from "../../build/index.ts";
import { OptionError } from "../../errors.ts";
import type { Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom, Tensor, toNumbers } from "../../tensor/index.ts";
import { constant } from "../initializers.ts";
import type { ClassCode } from "./class-code.ts";
import { cosineHead } from "./cosine-head.ts";
import { type FixedHeadOptions, fixedHead } from "./fixed-head.ts";
import { hadamardCode } from "./hadamard-code.ts";
import { matrixCode } from "./matrix-code.ts";
import { orthogonalCode } from "./orthogonal-code.ts";
import { simplexCode } from "./simplex-code.ts";
import { smallestLoss, smallestScale } from "./smallest-loss.ts";

function features(shape: readonly number[], { seed = 1, positive = false } = {}): Tensor {
  const random = seededRandom(seed);
  const length = shape.reduce((a, b) => a * b, 1);
  return float32(
    shape,
    Float32Array.from({ length }, () => (positive ? Math.max(0, random.normal()) : random.normal())),
  );
}

describe("fixedHead", () => {
  it("learns a scale and a bias, nothing else", () => {
    const { ops, scope, shapes, declared } = buildScope("head");
    fixedHead()(10)(ops.input("x", "float32", [4, 64]), scope);
    expect(shapes()).toEqual({ "head.logits.scale": [], "head.logits.bias": [10] });
    const random = seededRandom(5);
    const initial = declared.get("head.logits.scale")!.initial;
    expect(typeof initial === "function" && Array.from(initial([], random))).toEqual([1 / Math.sqrt(10)]);
  });

  it("learns nothing when told so", () => {
    const { ops, scope, shapes } = buildScope();
    fixedHead({ scale: 2, bias: false })(10)(ops.input("x", "float32", [4, 64]), scope);
    fixedHead({ scale: "none", bias: false, normalize: false })(10)(ops.input("y", "float32", [4, 64]), scope);
    expect(shapes()).toEqual({});
  });

  it("makes its directions once, and leaves everybody's random numbers alone", () => {
    let made = 0;
    const code: ClassCode = {
      ...orthogonalCode(),
      prototypes: (classes, count) => {
        made++;
        return orthogonalCode().prototypes(classes, count);
      },
    };
    const head = fixedHead({ code })(3);
    for (const training of [true, false]) {
      const { ops, scope } = buildScope("head", training);
      head(ops.input("x", "float32", [4, 8]), scope);
    }
    expect(made).toBe(1);
  });

  it.each<[string, () => unknown]>([
    ["fixedHead: scale must be above 0, got 0.", () => fixedHead({ scale: 0 })],
    ["fixedHead: initialScale must be above 0, got -1.", () => fixedHead({ initialScale: -1 })],
    ["fixedHead: epsilon must be above 0, got NaN.", () => fixedHead({ epsilon: Number.NaN })],
    ["fixedHead: classes must be a whole number of at least 1, got 0.", () => fixedHead()(0)],
    ["fixedHead: classes must be a whole number of at least 1, got -3.", () => fixedHead({ code: simplexCode() })(-3)],
    ["cosineHead: classes must be a whole number of at least 1, got 1.5.", () => cosineHead()(1.5)],
    ["simplexCode: classes must be from 2 to 65 for 64 features, got 66.", () => build({ code: simplexCode() }, 66)],
    ["simplexCode: classes must be from 2 to 65 for 64 features, got 1.", () => build({ code: simplexCode() }, 1)],
    ["cosineHead: scale must be above 0, got -3.", () => cosineHead({ scale: -3 })],
    [
      'fixedHead (head): form must be "dense" for a code without a rule, got "fast". Leave it out.',
      () => build({ code: simplexCode(), form: "fast" }),
    ],
    [
      'fixedHead (head): form must be "dense" or "generated" for random columns, got "fast". Leave it out.',
      () => build({ code: hadamardCode({ wide: "random-columns" }), form: "fast" }, 200),
    ],
    ["hadamardCode: classes must be at most 126 for 64 features", () => build({}, 200)],
  ])("refuses: %s", (message, act) => {
    expect(act).toThrow(OptionError);
    expect(act).toThrow(message);
  });
});

function build(options: FixedHeadOptions, classes = 10): Value {
  const { ops, scope } = buildScope("head");
  return fixedHead(options)(classes)(ops.input("x", "float32", [4, 64]), scope);
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "fixedHead, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  const run = (layer: Layer, x: Tensor, weights?: (shape: readonly number[]) => Tensor): Promise<RunResult> =>
    runLayer(runtime, ({ x }, scope) => layer(x!, scope), { inputs: { x }, ...(weights && { weights }) });

  /** y = alpha Q x / (||x|| + eps) + b in plain numbers. */
  function expected(code: ClassCode, x: Tensor, classes: number, alpha: number, bias: ArrayLike<number>): number[] {
    const count = x.shape.at(-1)!;
    const q = code.prototypes(classes, count).matrix();
    const numbers = toNumbers(x);
    return Array.from({ length: (x.size / count) * classes }, (_, at) => {
      const [row, c] = [Math.floor(at / classes), at % classes];
      const xs = numbers.subarray(row * count, (row + 1) * count);
      const length = Math.sqrt(xs.reduce((sum, value) => sum + value * value, 0)) + 1e-8;
      return (alpha * xs.reduce((sum, value, j) => sum + value * q[c * count + j]!, 0)) / length + bias[c]!;
    });
  }

  const CODES: readonly (readonly [string, ClassCode, classes: number, features: number])[] = [
    ["hadamard", hadamardCode(), 10, 64],
    ["hadamard from row 0", hadamardCode({ row0: "keep" }), 64, 64],
    ["hadamard with both signs", hadamardCode(), 100, 64],
    ["hadamard with all signs", hadamardCode({ row0: "keep" }), 32, 16],
    ["hadamard of length 1, features no power of two", hadamardCode({ rows: "unit" }), 40, 48],
    ["hadamard that repeats rows", hadamardCode({ wide: "truncate" }), 40, 16],
    ["hadamard at random columns", hadamardCode({ wide: "random-columns" }), 200, 24],
    ["orthogonal", orthogonalCode(), 10, 16],
    ["simplex", simplexCode(), 10, 16],
    ["matrix", matrixCode(features([5, 6], { seed: 9 })), 5, 6],
  ];

  it.each(CODES)("%s computes its formula in every form", async (_, code, classes, count) => {
    const x = features([3, count]);
    const { hadamard } = code.prototypes(classes, count);
    const forms = hadamard
      ? (["dense", "generated", ...(hadamard.columns ? [] : ["fast" as const])] as const)
      : (["dense"] as const);
    for (const form of [...forms, undefined]) {
      const options = { code, initialScale: 1.5, bias: constant(0.25), ...(form && { form }) };
      const { y, declared } = await run(fixedHead(options)(classes), x);
      expect(declared).toBe(`float32 [3, ${classes}]`);
      const wanted = expected(code, x, classes, 1.5, new Float64Array(classes).fill(0.25));
      const worst = Math.max(...toNumbers(y).map((value, i) => Math.abs(value - wanted[i]!)));
      expect(worst, form).toBeLessThan(2e-5);
    }
  });

  it.each(["generated", "fast"] as const)("takes batches and texts of any length (%s)", async (form) => {
    const layer = fixedHead({ form, bias: false })(10);
    for (const shape of [
      [6, 16],
      [2, 3, 16],
    ]) {
      const x = features(shape);
      const { y, declared } = await runLayer(runtime, ({ x }, scope) => layer(x!, scope), {
        inputs: { x },
        batch: "batch",
      });
      expect(y.shape).toEqual([...shape.slice(0, -1), 10]);
      expect(declared).toBe(`float32 [${["batch", ...shape.slice(1, -1), 10].join(", ")}]`);
      expect(toNumbers(y)).toHaveLength(60);
    }
  });

  it("keeps scores within alpha, or alpha sqrt(N), and does not care for the length of features", async () => {
    const x = features([50, 64]);
    const ten = float32(
      [50, 64],
      toNumbers(x).map((value) => 10 * value),
    );
    for (const [code, alpha, most] of [
      [orthogonalCode(), 10, 10],
      [hadamardCode(), 0.5, 4],
    ] as const) {
      const layer = fixedHead({ code, initialScale: alpha, bias: false })(10);
      const [one, other] = [toNumbers((await run(layer, x)).y), toNumbers((await run(layer, ten)).y)];
      expect(Math.max(...one.map(Math.abs))).toBeLessThanOrEqual(most + 1e-5);
      expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeLessThan(1e-5);
    }
  });

  it("with row 0 always or never decides for class 0 behind a ReLU, and does not without it", async () => {
    const x = features([200, 64], { positive: true });
    const share = async (options: FixedHeadOptions): Promise<number> => {
      const scores = toNumbers((await run(fixedHead({ ...options, bias: false })(10), x)).y);
      const first = Array.from({ length: 200 }, (_, row) => {
        const of = scores.subarray(row * 10, row * 10 + 10);
        return of.indexOf(Math.max(...of)) === 0 ? 1 : 0;
      });
      return first.reduce((a: number, b) => a + b, 0) / 200;
    };
    const code = hadamardCode({ row0: "keep" });
    expect(await share({ code })).toBe(1);
    expect(await share({ code, minus: true })).toBe(0);
    const mended = await share({});
    expect(mended).toBeGreaterThan(0);
    expect(mended).toBeLessThan(0.5);
  });

  it("gives b for features that are all 0, and no gradient", async () => {
    const { y, gradients } = await run(
      fixedHead({ bias: constant(0.5) })(3),
      float32([2, 4], new Float32Array(8)),
      (shape) => features(shape),
    );
    expect([...toNumbers(y)]).toEqual(new Array(6).fill(0.5));
    expect([...toNumbers(gradients.x!)].map(Math.abs)).toEqual(new Array(8).fill(0));
  });

  it("has a scale that cannot change its sign, and can come back", async () => {
    const layer = fixedHead({ code: orthogonalCode(), bias: false })(3);
    const result = await runLayer(runtime, ({ x }, scope) => layer(x!, scope), {
      inputs: { x: features([2, 4]) },
      variable: () => float32([], [-2]),
      weights: (shape) => features(shape),
    });
    expect(Math.max(...toNumbers(result.y).map(Math.abs))).toBeLessThanOrEqual(1e-3);
    expect(Math.abs(toNumbers(result.gradients["logits.scale"]!)[0]!)).toBeGreaterThan(1e-3);
  });

  it("passes gradients to x that are orthogonal to it", async () => {
    const x = features([8, 64]);
    const { gradients } = await run(fixedHead({ code: orthogonalCode() })(10), x, (shape) =>
      features(shape, { seed: 4 }),
    );
    const [dx, numbers] = [toNumbers(gradients.x!), toNumbers(x)];
    for (let row = 0; row < 8; row++) {
      const [d, of] = [dx, numbers].map((all) => all.subarray(row * 64, row * 64 + 64));
      const along = d!.reduce((sum, value, j) => sum + value * of![j]!, 0);
      expect(Math.hypot(...d!)).toBeGreaterThan(0.1);
      expect(Math.abs(along)).toBeLessThan(1e-6 * Math.hypot(...d!) * Math.hypot(...of!));
    }
  });

  /** Layer, x, then the variables in the order of their declaration. */
  const GRADIENTS: readonly (readonly [
    string,
    Layer,
    x: readonly number[],
    variables: readonly (readonly number[])[],
  ])[] = [
    ["orthogonal", fixedHead({ code: orthogonalCode(), minus: true })(3), [3, 5], [[], [3]]],
    ["hadamard, generated", fixedHead({ form: "generated" })(6), [2, 4], [[], [6]]],
    ["hadamard, fast", fixedHead({ form: "fast" })(6), [2, 5], [[], [6]]],
    ["hadamard, fast, in parts", fixedHead({ form: "fast" })(3), [2, 8], [[], [3]]],
    ["cosine", cosineHead()(3), [2, 4], [[3, 4], [], [3]]],
  ];

  it.each(GRADIENTS)("has the gradients of differences in float64: %s", async (title, layer, shape, variables) => {
    const faults = await checkGradient(
      {
        title,
        covers: [],
        inputs: [
          normal(shape),
          ...variables.map((one) => (one.length === 0 ? new Tensor("float64", [], Float64Array.of(1.7)) : normal(one))),
        ],
        second: true,
        build: (ops, x, ...given) => {
          const names = new Map<string, Value>();
          const source: VariableSource = {
            declare: (path) => {
              const value = names.get(path) ?? given[names.size]!;
              names.set(path, value);
              return value;
            },
            update: () => undefined,
          };
          return layer(x, new Scope(ops, { variables: source, training: true, dtype: x.dtype! }));
        },
      },
      runtime,
    );
    expect(faults).toEqual([]);
  });
});

describe("the smallest loss", () => {
  it("has the published numbers", () => {
    expect(smallestLoss(1, 10)).toBeCloseTo(1.42, 3);
    expect(smallestLoss(10, 10)).toBeCloseTo(0.00024, 5);
    expect(smallestLoss(0.1 * Math.sqrt(64), 10)).toBeCloseTo(1.584, 3);
    expect(smallestLoss(smallestScale(0.01, 10), 10)).toBeCloseTo(0.01, 10);
    expect(() => smallestScale(0, 10)).toThrow("smallestScale: loss must be above 0, got 0.");
    expect(() => smallestLoss(1, 1)).toThrow(OptionError);
  });

  it("is what a search finds", () => {
    // Gradient ascent of the score of class 0 over unit features, with orthonormal rows: Q = I.
    for (const [alpha, classes] of [
      [2, 4],
      [5, 10],
    ] as const) {
      const random = seededRandom(3);
      let x = Float64Array.from({ length: classes }, () => random.normal());
      const lossAt = (of: Float64Array): number => {
        const length = Math.hypot(...of);
        const scores = of.map((value) => (alpha * value) / length);
        return Math.log(scores.reduce((sum, score) => sum + Math.exp(score - scores[0]!), 0));
      };
      for (let step = 0; step < 4000; step++) {
        const loss = lossAt(x);
        const slope = x.map((_, i) => (lossAt(x.map((value, j) => (i === j ? value + 1e-5 : value))) - loss) / 1e-5);
        x = x.map((value, i) => value - 0.05 * slope[i]!);
      }
      expect(Math.abs(lossAt(x) - smallestLoss(alpha, classes))).toBeLessThan(1e-3);
    }
  });
});
