import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alternate, lossDifference, summarize, warmUp } from "../bench/training/alternate.ts";
import { readCase, writeCase } from "../bench/training/case-file.ts";
import { stepFlops } from "../bench/training/cases/case.ts";
import { CASES } from "../bench/training/cases/index.ts";
import { describeMachine } from "../bench/training/machine.ts";
import type { CaseResult } from "../bench/training/measure-case.ts";
import { DEFAULT_OUTPUT, parseOptions } from "../bench/training/options.ts";
import { benchResult } from "../bench/training/result.ts";
import { Side } from "../bench/training/side.ts";
import { quantile, ratioOf } from "../bench/training/statistics.ts";
import { speedPage } from "../bench/training/table.ts";

const caseNamed = (name: string) => CASES.find((one) => one.name === name)!;
const ready = { version: "1", settings: "fake", threads: 1, loadedMiB: 10, buildMs: 5 };

describe("the cases of the benchmark", () => {
  // Counted by PyTorch: sum(p.numel() for p in model.parameters()).
  it.each([
    ["mlp-2048", 5_824_522],
    ["mlp-256", 203_530],
    ["resnet20", 272_474],
    ["resnet18", 11_173_962],
    ["transformer", 3_450_890],
  ])("%s has %i parameters", (name, count) => {
    const sizes = caseNamed(name).parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(count);
  });

  // Counted by PyTorch 2.15 over the models of bench/peers/pytorch.py: torch.utils.flop_counter, half of the forward pass's.
  it.each([
    ["mlp-2048", 2_980_052_992],
    ["mlp-256", 13_008_896],
    ["resnet20", 5_224_087_552],
    ["resnet18", 71_094_108_160],
    ["transformer", 6_979_362_816],
  ])("%s has %i multiply-accumulates in a forward pass", (name, macs) => {
    expect(caseNamed(name).forwardMacs).toBe(macs);
    expect(stepFlops(caseNamed(name))).toBe(6 * macs);
  });

  it("give every parameter a name of its own", () => {
    for (const one of CASES) {
      const names = one.parameters.map(({ name }) => name);
      expect(new Set(names).size, one.name).toBe(names.length);
    }
  });
});

describe("the files of a case", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "modicum-bench-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("come back as they were drawn, the same for the same seed", async () => {
    const one = caseNamed("mlp-256");
    await writeCase(one, 7, join(folder, "a"));
    await writeCase(one, 7, join(folder, "b"));
    await writeCase(one, 8, join(folder, "c"));
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => readCase(join(folder, name))));
    expect(a).toEqual(b);
    expect(a!.batches[0]).not.toEqual(c!.batches[0]);
    expect(a!.parameters.map(({ name, shape }) => [name, shape])).toEqual(
      one.parameters.map(({ name, shape }) => [name, shape]),
    );
    const { inputs, labels } = a!.batches[1]!;
    expect([inputs.length, labels.length]).toEqual([64 * 784, 64]);
    expect(labels.every((label) => Number.isInteger(label) && label >= 0 && label < 10)).toBe(true);
    const weight = a!.parameters[0]!.values;
    const deviation = Math.sqrt(weight.reduce((sum, w) => sum + w * w, 0) / weight.length);
    // 200 704 draws: the estimate is within 1 % of He's deviation at more than six sigma.
    expect(Math.abs(deviation / Math.sqrt(2 / 784) - 1)).toBeLessThan(0.01);
  });

  it("hold token ids where the case has tokens", async () => {
    await writeCase(caseNamed("transformer"), 1, join(folder, "tokens"));
    const { inputs } = (await readCase(join(folder, "tokens"))).batches[0]!;
    expect(inputs).toBeInstanceOf(Int32Array);
    expect([Math.min(...inputs) >= 0, Math.max(...inputs) < 1000]).toEqual([true, true]);
  });
});

describe("the statistics", () => {
  it("interpolate quantiles as NumPy does", () => {
    expect([0, 0.25, 0.5, 0.9, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([
      1,
      1.75,
      2.5,
      expect.closeTo(3.7),
      4,
    ]);
    expect(() => quantile([], 0.5)).toThrow("must not be empty");
  });

  it("compare each turn with its neighbour, so that a machine that slows down changes no ratio", () => {
    const rounds = [1, 1.5, 4].map((slowdown) => ({
      ours: [[10 * slowdown], [5 * slowdown]],
      peer: [30 * slowdown, 20 * slowdown],
    }));
    expect(ratioOf(rounds)).toEqual({ median: 2.5, low: 2.5, high: 2.5 });
    expect(ratioOf(rounds, 1).median).toBe(5);
  });

  it("summarize all steps of all turns", () => {
    expect(summarize(ready, [[1, 2], [3]], 99)).toMatchObject({
      medianMs: 2,
      steps: 3,
      rounds: 2,
      stepsPerSecond: 500,
      peakMiB: 99,
      version: "1",
    });
  });

  it("refuse a side whose losses are not ours", () => {
    expect(lossDifference([2, 1], [2.001, 1, 5])).toBeCloseTo(0.0005);
    expect(() => lossDifference([2, 1], [2, 1.1])).toThrow("computes something else: loss of step 2 is 1.1, ours 1");
    expect(() => lossDifference([2], [Number.NaN])).toThrow("loss of step 1");
  });
});

/** A side that answers as told: a step takes the time it says, not real time. */
const fakeSide = (script: string) => ({
  command: process.execPath,
  args: [
    "-e",
    `const answer = (message) => console.log(JSON.stringify(message));
     const lines = require("node:readline").createInterface({ input: process.stdin });
     ${script}`,
  ],
});
const READY = `answer({ ready: ${JSON.stringify(ready)} });`;
const steady = (stepMs: number) =>
  fakeSide(`${READY} lines.on("line", (line) => {
    const { steps } = JSON.parse(line);
    answer({ stepMs: Array(steps).fill(${stepMs}), losses: Array(steps).fill(1), peakMiB: 50 });
  });`);
const options = { folder: "", threads: 1, variant: "" };

describe("two sides", () => {
  it("take turns of equal length, slow ones fewer", async () => {
    const [ours, quick, slow] = await Promise.all(
      [100, 50, 13_000].map(async (stepMs) => warmUp(await Side.start(steady(stepMs), options), 30_000)),
    );
    const rounds = await alternate([ours!, quick!], quick!, 3);
    expect(rounds.map(({ ours: ways, peer }) => [...ways, peer].map(({ length }) => length))).toEqual([
      [12, 24, 24],
      [12, 24, 24],
      [12, 24, 24],
    ]);
    expect(ratioOf(rounds).median).toBe(0.5);
    expect(await alternate([ours!], slow!, 9)).toHaveLength(2);
    expect(ours!.side.peakMiB).toBe(50);
    await Promise.all([ours!, quick!, slow!].map(({ side }) => side.stop()));
  });

  it("measure the first step of a side that is too slow for another", async () => {
    const [ours, slow] = await Promise.all(
      [100, 90_000].map(async (stepMs) => warmUp(await Side.start(steady(stepMs), options), 30_000)),
    );
    const rounds = await alternate([ours!], slow!, 9);
    expect(rounds.map(({ peer }) => peer)).toEqual([[90_000]]);
    await Promise.all([ours!, slow!].map(({ side }) => side.stop()));
  });

  it.each([
    ["an error", 'answer({ error: "no kernel" });', "no kernel"],
    ["an end without a word", "process.exit(3);", "ended without an answer (exit code 3)"],
  ])("fail with %s at the start", async (_what, script, message) => {
    await expect(Side.start(fakeSide(script), options)).rejects.toThrow(message);
  });

  it("fail where there is no such program", async () => {
    await expect(Side.start({ command: "/nowhere/at/all", args: [] }, options)).rejects.toThrow("without an answer");
  });

  it("fail with a loss that is no number, and with silence", async () => {
    const notFinite = await Side.start(
      fakeSide(`${READY} lines.on("line", () => answer({ stepMs: [1], losses: [null], peakMiB: 1 }));`),
      options,
    );
    await expect(notFinite.run({ steps: 1, withinMs: 1 }, 30_000)).rejects.toThrow("computed the loss null");
    await notFinite.stop();
    const silent = await Side.start(fakeSide(READY), options);
    const failure = silent.run({ steps: 1, withinMs: 1 }, 20);
    await expect(failure).rejects.toMatchObject({ message: "did not take a step within 0.02 s", limitMs: 20 });
    expect(silent.failure?.limitMs).toBe(20);
    await silent.stop();
  });
});

describe("the command line", () => {
  it("measures everything by default and keeps the table", () => {
    expect(parseOptions([])).toMatchObject({ threads: 2, rounds: 9, json: false, output: DEFAULT_OUTPUT });
    expect(parseOptions(["--only", "mlp-256, resnet20", "--json"])).toMatchObject({
      cases: [{ name: "mlp-256" }, { name: "resnet20" }],
      json: true,
      output: undefined,
    });
    expect(parseOptions(["--peers", "jax-js"])).toMatchObject({ peers: ["jax-js"], output: undefined });
    expect(parseOptions(["--from", "a.json, b.json"])).toMatchObject({ from: ["a.json", "b.json"], output: undefined });
    expect(parseOptions(["--help"])).toBe("help");
  });

  it.each([
    [["--only", "mlp"], '--only: must be among mlp-2048, mlp-256, resnet20, resnet18, transformer, got "mlp".'],
    [["--peers", "keras"], 'got "keras"'],
    [["--threads", "3"], '--threads: must be a whole number from 1 to 2, got "3".'],
    [["--rounds", "1.5"], "--rounds: must be a whole number"],
    [["--what"], "--what"],
  ])("refuses %j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe("the result", () => {
  const measured = summarize(ready, [[20, 20], [20]], 300);
  const one: CaseResult = {
    name: "mlp-256",
    description: "MLP",
    parameters: 1000,
    stepFlops: 2e9,
    ours: {
      float32: { ...measured, firstLosses: [1] },
      int8: { ...summarize(ready, [[10, 10]], 200), ratio: 0.5, ratioSpread: [0.4, 0.625] },
    },
    peers: {
      pytorch: { ...measured, variant: "contiguous", lossDifference: 1e-6 },
      "tfjs-wasm": { missing: "no | kernel" },
      "jax-js": { missing: "did not take a step within 240 s", slowerThanMs: 240_000 },
    },
    ratios: { pytorch: 1.5 },
    ratioSpread: { pytorch: [1.4, 1.6] },
    int8Ratios: { pytorch: 3 },
    int8RatioSpread: { pytorch: [2.8, 3.2] },
    peakShare: 0.5,
    gemmGflops: 200,
  };
  const result = benchResult(
    [one],
    { ...defaults(), arguments: ["--seed", "5"], seed: 5 },
    { machine: describeMachine(), modicum: "0.1.0" },
  );

  it("is an object whose fields stay as they are", () => {
    const json = JSON.parse(JSON.stringify(result));
    expect(json).toMatchObject({
      threads: 2,
      seed: 5,
      versions: { modicum: "0.1.0" },
      machine: { cores: expect.any(Number) },
    });
    const [first] = json.cases;
    expect(first).toMatchObject({ name: "mlp-256", peakShare: 0.5, ratios: { pytorch: 1.5 } });
    expect(first.ours.float32.medianMs).toBe(20);
    expect(first.peers.pytorch).toMatchObject({ medianMs: 20, version: "1", peakMiB: 300 });
    expect(first.peers["tfjs-wasm"]).toEqual({ missing: "no | kernel" });
  });

  it("becomes a page with a row for every side", () => {
    const page = speedPage([result]);
    expect(page).toContain("| Modicum | 20.0 (20.0 - 20.0) | 50.0 | 1 | - | 300 (10) |");
    expect(page).toContain(
      "| Modicum, in 8 bits | 10.0 (10.0 - 10.0) | 100 | **0.500** (0.400 - 0.625) | 1 | 200 (10) |",
    );
    expect(page).toContain("in 8 bits **2.00** (1.60 - 2.50) times as fast");
    expect(page).toContain(
      "| pytorch, 2 rounds only | 20.0 (20.0 - 20.0) | 50.0 | **1.50** (1.40 - 1.60) | **3.00** (2.80 - 3.20) | 300 (10) |",
    );
    expect(page).not.toContain("in a Loop |");
    expect(page).toContain("| tfjs-wasm | no \\| kernel | - | - | - | - |");
    // 240 s over 20 ms, and over 10 ms.
    expect(page).toContain("| jax-js | did not take a step within 240 s | - | > 12000 | > 24000 | - |");
    expect(page).toContain("```sh\nnpm run bench -- --seed 5\n```");
    expect(page).toContain("50 % of the GEMM peak");
  });

  it("compares every side with steps in a Loop too where that is faster", () => {
    const loop = { ...summarize(ready, [[16, 16]], 400), ratio: 0.8, ratioSpread: [0.7, 0.9] } as const;
    const faster: CaseResult = {
      ...one,
      ours: { ...one.ours, float32Loop: loop },
      loopRatios: { pytorch: 1.25 },
      loopRatioSpread: { pytorch: [1.2, 1.3] },
    };
    const page = speedPage([{ ...result, cases: [faster] }]);
    expect(page).toContain("| Modicum | 20.0 (20.0 - 20.0) | 50.0 | 1 | - | - | 300 (10) |");
    expect(page).toContain(
      "| Modicum, in a Loop | 16.0 (16.0 - 16.0) | 62.5 | **0.800** (0.700 - 0.900) | 1 | - | 400 (10) |",
    );
    expect(page).toContain(
      "| 50.0 | **1.50** (1.40 - 1.60) | **1.25** (1.20 - 1.30) | **3.00** (2.80 - 3.20) | 300 (10) |",
    );
    expect(page).toContain("| tfjs-wasm | no \\| kernel | - | - | - | - | - |");
    // 240 s over 20 ms, over 16 ms, and over 10 ms.
    expect(page).toContain("| - | > 12000 | > 15000 | > 24000 | - |");
    const lengths = page
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split(/(?<!\\)\|/).length);
    expect(new Set(lengths).size).toBe(1);
  });

  it("becomes one page of several runs only if they can be compared", () => {
    const other = { ...result, cases: [{ ...one, name: "mlp-2048" }], arguments: ["--only", "mlp-2048"] };
    const page = speedPage([result, other]);
    expect(page).toContain("npm run bench -- --seed 5\nnpm run bench -- --only mlp-2048\n");
    expect(page.match(/^## mlp-.*$/gm)).toEqual(["## mlp-256", "## mlp-2048"]);
    expect(() => speedPage([result, { ...other, threads: 1 }])).toThrow("must have the same machine");
    expect(() => speedPage([result, result])).toThrow('must measure different cases, got "mlp-256" twice');
  });
});

function defaults() {
  const parsed = parseOptions([]);
  if (parsed === "help") throw new Error("internal: no arguments ask for no help.");
  return parsed;
}
