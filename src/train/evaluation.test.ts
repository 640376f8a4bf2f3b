import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { batchNorm, crossEntropy, dropout, linear, relu, sequential } from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, toNumbers } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { compileEvaluation, evaluation } from "./evaluation.ts";
import { trainStep } from "./train-step.ts";

const network = sequential({ hidden: linear(3), norm: batchNorm(), act: relu(), drop: dropout(0.5), head: linear(2) });
const built = evaluation({
  inputs: { x: { shape: [4, 2] } },
  outputs: ({ x }, scope) => ({ logits: network(x!, scope) }),
});
const step = trainStep({
  inputs: { x: { shape: [4, 2] }, label: { shape: [4], dtype: "int64" } },
  loss: ({ x, label }, scope) => crossEntropy(network(x!, scope), label!, scope),
  optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
});
const inputs = [1, 2, -1, 0.5, 3, -2, 0, 1];
const x = float32([4, 2], inputs);

describeUnless(reasonWithoutOnnxRuntimeNode(), "evaluation", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("measures the weights it is given, as in use: running statistics, no dropout, nothing compiled anew", async () => {
    const training = await compile(step, { runtime, seed: 3 });
    const compiled = await compileEvaluation(built, { runtime });
    for (let i = 0; i < 2; i++) {
      const variables = await training.variables();
      const { logits } = await compiled.run({ x }, variables);
      const numbers = (path: string) => toNumbers(variables[path]!);
      const [w, b] = [numbers("hidden.weight"), numbers("hidden.bias")];
      const [gain, shift] = [numbers("norm.weight"), numbers("norm.bias")];
      const [mean, variance] = [numbers("norm.runningMean"), numbers("norm.runningVariance")];
      const [v, c] = [numbers("head.weight"), numbers("head.bias")];
      const expected = Array.from({ length: 4 }, (_, row) => {
        const hidden = [0, 1, 2].map((unit) => {
          const sum = w[2 * unit]! * inputs[2 * row]! + w[2 * unit + 1]! * inputs[2 * row + 1]! + b[unit]!;
          const scaled = (sum - mean[unit]!) / Math.sqrt(variance[unit]! + 1e-5);
          return Math.max(0, scaled * gain[unit]! + shift[unit]!);
        });
        return [0, 1].map((out) => hidden.reduce((sum, h, unit) => sum + h * v[3 * out + unit]!, c[out]!));
      }).flat();
      // A dozen float32 operations on numbers near 1.
      toNumbers(logits!).forEach((logit, index) => {
        expect(logit).toBeCloseTo(expected[index]!, 5);
      });
      await training.run({ x, label: int64([0, 1, 1, 0], [4]) });
    }
    await Promise.all([training.release(), compiled.release()]);
  });

  it("gives layers' results as taps, and batches of other shapes", async () => {
    const training = await compile(step, { runtime });
    const compiled = await compileEvaluation(built.build({}, ["hidden", "act", "head"]), { runtime });
    const two = float32([2, 2], inputs.slice(0, 4));
    const result = await compiled.run({ x: two }, await training.variables());
    expect(Object.keys(result)).toEqual(["logits", "hidden", "act", "head"]);
    expect(result.hidden!.shape).toEqual([2, 3]);
    expect(result.head).toEqual(result.logits);
    expect(Math.min(...toNumbers(result.act!))).toBeGreaterThanOrEqual(0);
    await Promise.all([training.release(), compiled.release()]);
  });

  it("refuses what is not its own", async () => {
    expect(built.tappable).toEqual(["hidden", "norm", "act", "drop", "head"]);
    expect(() => built.build({}, ["heads"])).toThrow(
      'evaluation: taps must be paths of tapped values, got "heads". Known: hidden, norm, act, drop, head.',
    );
    const compiled = await compileEvaluation(built, { runtime });
    await expect(compiled.run({ x }, {})).rejects.toThrow(
      'evaluation: variables must hold "hidden.weight" as float32 [3, 2], got none. Is it another network\'s?',
    );
    await expect(compiled.run({}, {})).rejects.toThrow(
      'evaluation: a batch must hold the evaluation\'s inputs [x], got none for "x".',
    );
    await compiled.release();
  });
});
