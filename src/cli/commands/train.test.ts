import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { openRun, readRun } from "../../files/index.ts";
import type { RunEvent } from "../../fit/index.ts";
import { EXAMPLE, EXAMPLE_MODEL, modelBytes, temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

let folder = "";
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

/** A network that learns something in a second. */
const SMALL = ["train", "mlp", "--data", "example", "--set", "model.width=0.125", "--batch", "50", "--epochs", "2"];

async function train(...argv: readonly string[]) {
  const run = await runMain([...argv, "--json"]);
  expect(run.stderr).not.toContain("error:");
  expect(run.code).toBe(0);
  return { ...run, record: JSON.parse(run.stdout) as Record<string, never> };
}

/** What was computed, without when: clocks differ. */
async function computed(path: string): Promise<unknown[][]> {
  const events = await (await readRun(path)).events();
  return events.flatMap((event: RunEvent): unknown[][] => {
    if (event.type === "steps") return [[event.step, event.metrics, event.learningRate]];
    return event.type === "evaluation" ? [[event.step, event.split, event.loss, event.top1]] : [];
  });
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "modicum train", () => {
  it("trains, and ends with one object; the run has the complete recipe and every event", async () => {
    const { record, stderr } = await train(...SMALL, "--seed", "1", "--output", at("first"));
    expect(record).toEqual({
      run: at("first"),
      seconds: expect.any(Number),
      final: { loss: expect.any(Number), top1: expect.any(Number) },
      best: { epoch: expect.any(Number), top1: expect.any(Number) },
      headSavings: null,
    });
    // Guessing gets 10 %.
    expect((record as unknown as { final: { top1: number } }).final.top1).toBeGreaterThan(20);
    const rows = stderr.split("\n").filter((line) => /^ +(epoch|[12]) /.test(line));
    expect(rows[0]).toMatch(/epoch +loss +train top-1 % +test top-1 % +learning rate +seconds/);
    expect(rows[2]).toMatch(/ 2 +\d+\.\d{4} +\d+\.\d\d +\d+\.\d\d ± \d\.\d\d +\S+ +\d+\.\d/);
    const { description } = await readRun(at("first"));
    expect(description).toMatchObject({
      recipe: { model: { name: "mlp", width: 0.125 }, epochs: 2, seed: 1, batch: { size: 50 } },
      seed: 1,
      device: "cpu",
      network: { kind: "pictures", classes: 10, sampleShape: [1, 28, 28] },
    });
    const evaluations = (await computed(at("first"))).filter((one) => one[1] === "test");
    expect(evaluations).toHaveLength(2);
  });

  it("says what a fixed head saves, before it trains and in the object", async () => {
    const argv = [...SMALL, "--epochs", "1", "--set", 'model.head={"kind":"hadamard"}'];
    const { record, stderr } = await train(...argv, "--output", at("fixed"));
    // 32 features, 10 classes: the matrix goes, a scale comes.
    expect(record).toMatchObject({
      headSavings: {
        kind: "hadamard",
        features: 32,
        classes: 10,
        parameters: 319,
        headBytes: 1280,
        optimizerBytes: 1276,
        weightGradientMultiplyAdds: 50 * 320,
        multiplyAdds: 0,
      },
    });
    expect(stderr.split("\n")[0]).toBe(
      "fixed head (hadamard, 32 x 10) saves 319 parameters, 1,280 bytes of its matrix in a file, 1,276 bytes of the optimizer's slots, " +
        "16,000 multiply-adds of its gradient in a step.",
    );
    const learned = await train(...SMALL, "--epochs", "1", "--output", at("learned"));
    expect(learned.record).toMatchObject({ headSavings: null });
    expect(learned.stderr).not.toContain("saves");
  });

  it("gives the same run again", async () => {
    await train(...SMALL, "--seed", "1", "--output", at("again"), "--quiet");
    expect(await computed(at("again"))).toEqual(await computed(at("first")));
  });

  it("goes on from a checkpoint as if it had not stopped", async () => {
    const { stdout } = await runMain([...SMALL, "--seed", "1", "--output", at("stopped"), "--time-budget", "0.001s"]);
    expect(stdout).toContain("stopped at its time budget");
    expect(stdout).toContain(`Go on with \`modicum train --resume ${at("stopped")}\`.`);
    expect((await computed(at("stopped"))).length).toBeLessThan((await computed(at("first"))).length);
    // With what the run has anyway.
    await train(
      "train",
      "mlp",
      "--resume",
      at("stopped"),
      "--epochs",
      "2",
      "--batch",
      "50",
      "--seed",
      "1",
      "--set",
      "model.width=0.125",
    );
    expect(await computed(at("stopped"))).toEqual(await computed(at("first")));
    const [one, other] = await Promise.all(
      ["stopped", "first"].map(async (name) => (await readRun(at(name))).latestCheckpoint()),
    );
    expect(one!.checkpoint.variables).toEqual(other!.checkpoint.variables);
  });

  it("refuses to go on with another recipe, naming what differs", async () => {
    const { code, stderr } = await runMain([
      "train",
      "--resume",
      at("first"),
      "--epochs",
      "9",
      "--set",
      "optimizer.momentum=0.5",
    ]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `error: ${at("first")}: a run must go on with its own recipe, got another: epochs 9 instead of 2; ` +
        "optimizer.momentum 0.5 instead of 0.9. Leave these out, or start a new run.\n",
    );
  });

  it("refuses a run that somebody writes to", async () => {
    const held = await openRun(at("first"));
    const { code, stderr } = await runMain(["train", "--resume", at("first")]);
    await held.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${at("first")}: must not be in use by another run, got process ${process.pid}.`);
  });

  it("refuses data that have changed", async () => {
    const data = at("mnist");
    await cp(EXAMPLE, data, { recursive: true });
    const argv = ["--data", `mnist:${data}`, "--set", "model.width=0.125", "--batch", "50", "--epochs", "1", "--quiet"];
    await train("train", "mlp", ...argv, "--output", at("moving"));
    const moved = at("moved");
    await cp(data, moved, { recursive: true });
    await train("train", "--resume", at("moving"), "--data", `mnist:${moved}`, "--quiet");
    // Training and test pictures change places.
    for (const kind of ["images-idx3", "labels-idx1"]) {
      await cp(join(data, `t10k-${kind}-ubyte.gz`), join(moved, `train-${kind}-ubyte.gz`), { force: true });
    }
    const { code, stderr } = await runMain(["train", "--resume", at("moving"), "--data", `mnist:${moved}`]);
    expect(code).toBe(1);
    expect(stderr).toContain(`error: mnist:${moved}: must be the data that ${at("moving")} was started with`);
  });

  it("reads recipes from files, and chooses a folder in runs/", async () => {
    const file = at("mine.json");
    const recipe = {
      model: { name: "mlp", width: 0.125 },
      data: { set: "example", limit: 100 },
      epochs: 1,
      batch: { size: 20 },
    };
    await writeFile(file, JSON.stringify(recipe));
    const before = process.cwd();
    process.chdir(folder);
    try {
      const first = await train("train", file, "--set", "averaging.decay=0.9", "--set", "data.validation=20");
      const second = await train("train", file, "--quiet");
      expect([first.record.run, second.record.run]).toEqual(["runs/mine-1", "runs/mine-2"]);
      expect(first.stderr).toContain("validation top-1 averaged %");
    } finally {
      process.chdir(before);
    }
  });

  it("fine-tunes a model, with the preprocessing beside it", async () => {
    const flags = [
      "--finetune",
      EXAMPLE_MODEL,
      "--classes",
      "10",
      "--data",
      "example",
      "--epochs",
      "2",
      "--learning-rate",
      "0.1",
    ];
    await train("train", ...flags, "--output", at("tuned"), "--set", "model.train=head", "--quiet");
    const { recipe } = (await readRun(at("tuned"))).description;
    expect(recipe.model).toMatchObject({
      onnx: EXAMPLE_MODEL,
      train: "head",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(recipe.data.normalization).toEqual({ scale: 1 / 255, mean: [0.286], std: [0.353] });
    const { code, stdout } = await runMain(["export", at("tuned"), "--output", at("tuned.onnx"), "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ written: [at("tuned.onnx"), at("tuned.preprocessing.json")] });
    const run = await runMain(["evaluate", at("tuned.onnx"), "--data", EXAMPLE, "--timing", "0", "--json", "--quiet"]);
    // The features are good: a head that learned for thirty steps is far from guessing.
    expect((JSON.parse(run.stdout) as { models: { top1: number }[] }).models[0]!.top1).toBeGreaterThan(40);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "modicum export", () => {
  it("writes a model that evaluate, quantize and compare take", async () => {
    const model = at("first.onnx");
    const { code, stdout } = await runMain(["export", at("first"), "--output", model]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/first\.onnx and .*first\.preprocessing\.json: best weights, of step \d+\.\n/);
    const { best } = await lastProgress("first");
    const evaluated = await runMain(
      ["evaluate", model, "--data", "example-test", "--json", "--quiet", "--timing", "0"].map((word) =>
        word === "example-test" ? at("as-test") : word,
      ),
    );
    expect((JSON.parse(evaluated.stdout) as { models: { top1: number }[] }).models[0]!.top1).toBe(best!.top1);
    const small = at("first-small.onnx");
    const quantized = await runMain([
      "quantize",
      model,
      "--calibrate",
      EXAMPLE,
      "--output",
      small,
      "--json",
      "--quiet",
    ]);
    expect(quantized.code).toBe(0);
    const compared = await runMain(["compare", model, small, "--data", EXAMPLE, "--limit", "50", "--json", "--quiet"]);
    expect(compared.code).toBe(0);
    expect((await runMain(["export", at("first"), "--output", model])).code).toBe(1);
    expect((await runMain(["export", at("first"), "--output", model, "--force"])).code).toBe(0);
  });

  it("writes last weights and averages when asked to", async () => {
    await train(...SMALL, "--set", "averaging.decay=0.9", "--epochs", "1", "--output", at("averaged"), "--quiet");
    const bytes: Buffer[] = [];
    for (const weights of ["last", "average"]) {
      const path = at(`${weights}.onnx`);
      expect((await runMain(["export", at("averaged"), "--output", path, "--weights", weights])).code).toBe(0);
      bytes.push(await readFile(path));
    }
    expect(bytes[0]!.equals(bytes[1]!)).toBe(false);
    const { code, stderr } = await runMain([
      "export",
      at("first"),
      "--output",
      at("none.onnx"),
      "--weights",
      "average",
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("--weights average must be of a run with averaging in its recipe, got one without.");
  });

  beforeAll(async () => {
    // `evaluate` reads the test part; the example's is what the run was tested with under the other name.
    await mkdir(at("as-test"));
    for (const kind of ["images-idx3", "labels-idx1"]) {
      await cp(join(EXAMPLE, `train-${kind}-ubyte.gz`), join(at("as-test"), `t10k-${kind}-ubyte.gz`));
    }
  });
});

async function lastProgress(name: string) {
  return (await (await readRun(at(name))).latestCheckpoint())!.checkpoint.progress;
}

describe("wrong input", () => {
  beforeAll(async () => {
    await writeFile(at("broken.json"), '{ "epochs": ');
    await writeFile(
      at("typo.json"),
      JSON.stringify({ model: { name: "mlp" }, data: { set: "example" }, epochs: 1, learningrat: 1 }),
    );
    await writeFile(
      at("relu.onnx"),
      modelBytes([["x", ["batch", 1, 28, 28]]], (emitter, [x]) => emitter.emit("Relu", [x!], { output: "y" })),
    );
    await mkdir(at("full"));
    await writeFile(join(at("full"), "notes.txt"), "mine");
  });

  const example = ["--data", "example", "--epochs", "1"];
  it.each<[string, (at: (name: string) => string) => readonly string[], number, string]>([
    [
      "no recipe",
      () => ["--data", "example"],
      2,
      "train: a recipe must be given, or --finetune, or --resume, got none",
    ],
    ["an unknown recipe", () => ["resnet19", ...example], 2, 'got "resnet19". Did you mean "resnet'],
    ["an unknown model", () => ["mlp", ...example, "--set", "model.name=mpl"], 2, 'got "mpl". Did you mean "mlp"?'],
    ["an unknown kind of data", () => ["mlp", "--data", "mnits:a"], 2, 'got "mnits". Did you mean "mnist"?'],
    [
      "no data",
      () => ["mlp"],
      2,
      "train: --data must say where the data are, such as --data mnist:path/to/it, got none.",
    ],
    ["data that are not there", (at) => ["mlp", "--data", at("nothing")], 1, "nothing"],
    [
      "a recipe with a typo",
      (at) => [at("typo.json")],
      2,
      'typo.json: learningrat: is no key of a recipe. Did you mean "learningRate"?',
    ],
    ["a recipe that is no JSON", (at) => [at("broken.json")], 1, "broken.json: must be JSON"],
    ["a recipe that is not there", (at) => [at("none.json")], 1, "none.json: must be a readable recipe, got ENOENT."],
    ["a typo in --set", () => ["mlp", ...example, "--set", "optimizer.momentun=0.5"], 2, 'Did you mean "momentum"?'],
    [
      "--set without a value",
      () => ["mlp", ...example, "--set", "seed"],
      2,
      "It must be a key of the recipe and a value",
    ],
    ["no epochs", () => ["mlp", "--data", "example", "--epochs", "0"], 2, "It must be a number above zero."],
    ["no epochs in --set", () => ["mlp", ...example, "--set", "epochs=0"], 2, "mlp: epochs: must be above 0, got 0."],
    [
      "a time that is none",
      () => ["mlp", ...example, "--time-budget", "soon"],
      2,
      "It must be a time such as 90s, 10m or 2h.",
    ],
    [
      "other classes",
      () => ["mlp", ...example, "--classes", "5"],
      2,
      "train: --classes must be the number of classes of example, 10, got 5.",
    ],
    ["an absent device", () => ["mlp", ...example, "--device", "cuda"], 1, "must accept the model, got"],
    [
      "pictures of the wrong size",
      () => ["resnet20", ...example, "--batch", "2000"],
      2,
      "recipe: batch.size must be at most",
    ],
    [
      "a model without a last layer",
      (at) => ["--finetune", at("relu.onnx"), ...example],
      2,
      "relu.onnx: a model must end with a convolution or matrix product",
    ],
    [
      "a model that is not there",
      (at) => ["--finetune", at("none.onnx"), ...example],
      1,
      "none.onnx: must be readable",
    ],
    [
      "a folder that is full",
      (at) => ["mlp", ...example, "--output", at("full")],
      1,
      "full: the folder of a new run must be empty",
    ],
    [
      "a folder that is no run",
      (at) => ["--resume", at("full")],
      1,
      "full: must be the folder of a run, got a folder without run.json.",
    ],
    [
      "a new place for a run",
      () => ["--resume", "a", "--output", "b"],
      2,
      "train: --resume must be without --output, got b.",
    ],
  ])("%s: one message, no folder left", async (_, argv, code, message) => {
    const before = (await readdir(folder)).sort();
    const flags = argv(at);
    const output = flags.some((flag) => flag === "--output" || flag === "--resume") ? [] : ["--output", at("new")];
    const run = await runMain(["train", ...flags, ...output, "--quiet"]);
    expect(run.stderr).toContain(message);
    expect(run).toMatchObject({ code, stdout: "" });
    expect((await readdir(folder)).sort()).toEqual(before);
  });

  it("an export of what is no run", async () => {
    const { code, stderr } = await runMain(["export", at("full"), "--output", at("none.onnx")]);
    expect(code).toBe(1);
    expect(stderr).toContain("full: must be the folder of a run");
  });
});
