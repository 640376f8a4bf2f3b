import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { linear, relu, sequential } from "../../nn/index.ts";
import { sgd } from "../../optim/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../../tensor/index.ts";
import { initialVariables } from "../../train/index.ts";
import { recordFit, smallPlan } from "../fit.cases.ts";
import type { Probe } from "../probe.ts";
import type { Batch } from "../training-plan.ts";
import { activationStatistics } from "./activation-statistics.ts";
import { distanceFromInitialization } from "./distance-from-initialization.ts";
import { gradientAndWeightNorms } from "./gradient-and-weight-norms.ts";

/** Float32 sums of a few dozen numbers near 1. */
const DIGITS = 5;

const norm = (numbers: readonly number[]): number => Math.hypot(...numbers);

describeUnless(reasonWithoutOnnxRuntimeNode(), "probes", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** What a probe says after two steps, with the variables and the batch of then. */
  async function probed(probe: Probe, plan = smallPlan({ totalSteps: 2 })) {
    let batch: Batch = {};
    let variables: Readonly<Record<string, Tensor>> = {};
    const spy: Probe = {
      every: { steps: 2 },
      async measure(context) {
        batch = context.batch;
        variables = await context.variables();
        return {};
      },
    };
    const { events } = await recordFit(plan, runtime, { probes: { spy, probe } });
    const found = events.filter(({ type, name }) => type === "probe" && name === "probe");
    expect(found).toHaveLength(1);
    return { values: found[0]!.values as Record<string, number>, batch, variables, plan };
  }

  it("measure the distance of each layer and of all from where they started", async () => {
    const given = { "hidden.bias": float32([6], [1, 2, 3, 4, 5, 6]) };
    const plan = smallPlan({ totalSteps: 2, initialVariables: given });
    const { values, variables } = await probed(distanceFromInitialization({ steps: 2 }), plan);
    const start = { ...initialVariables(plan.step.variables, plan.seed), ...given };
    const difference = (path: keyof typeof start): number[] => {
      const from = toNumbers(start[path]!);
      return Array.from(toNumbers(variables[path]!), (x, i) => x - from[i]!);
    };
    const layers = ["hidden", "norm", "head"].map((name) => [
      ...difference(`${name}.weight` as never),
      ...difference(`${name}.bias` as never),
    ]);
    expect(Object.keys(values)).toEqual(["total", "hidden", "norm", "head"]);
    expect(values.hidden).toBeCloseTo(norm(layers[0]!), 12);
    expect(values.total).toBeCloseTo(norm(layers.flat()), 12);
    expect(values.total).toBeGreaterThan(0);
  });

  it("measure norms of gradients and weights at the weights of now", async () => {
    // Logistic regression: the gradient of the mean loss is (softmax - target)^T x / batch.
    const network = sequential({ head: linear(3) });
    const frozen = sgd({
      learningRate: 0.1,
      momentum: 0.9,
      groups: [{ match: (path) => path === "head.bias", frozen: true }],
    });
    const plan = smallPlan({ totalSteps: 2, network, optimizer: frozen });
    const { values, batch, variables } = await probed(gradientAndWeightNorms({ steps: 2 }), plan);
    const [x, label] = [toNumbers(batch.x!), toNumbers(batch.label!)];
    const [w, b] = [toNumbers(variables["head.weight"]!), toNumbers(variables["head.bias"]!)];
    const gradient = new Array<number>(6).fill(0);
    for (let row = 0; row < 4; row++) {
      const logits = [0, 1, 2].map((c) => w[2 * c]! * x[2 * row]! + w[2 * c + 1]! * x[2 * row + 1]! + b[c]!);
      const sum = logits.reduce((s, z) => s + Math.exp(z), 0);
      logits.forEach((z, c) => {
        const error = Math.exp(z) / sum - (label[row] === c ? 1 : 0);
        for (const i of [0, 1]) gradient[2 * c + i]! += (error * x[2 * row + i]!) / 4;
      });
    }
    expect(values["gradient.total"]).toBeCloseTo(norm(gradient), DIGITS);
    expect(values["gradient.head"]).toBe(values["gradient.total"]);
    expect(values["weight.head"]).toBeCloseTo(norm([...w, ...b]), DIGITS);
  });

  it("describe values inside the network", async () => {
    const network = sequential({ hidden: linear(4), act: relu(), head: linear(3) });
    // Five samples: the first batch has no padding.
    const plan = smallPlan({ totalSteps: 2, network, measured: 5 });
    const { values, variables } = await probed(activationStatistics(["act", "hidden"], { steps: 2 }), plan);
    const batches: Batch[] = [];
    for await (const batch of plan.parts[0]!.batches()) batches.push(batch);
    const x = toNumbers(batches[0]!.x!);
    const [w, b] = [toNumbers(variables["hidden.weight"]!), toNumbers(variables["hidden.bias"]!)];
    const hidden = Array.from({ length: 20 }, (_, i) => {
      const [row, unit] = [i >> 2, i % 4];
      return w[2 * unit]! * x[2 * row]! + w[2 * unit + 1]! * x[2 * row + 1]! + b[unit]!;
    });
    const act = hidden.map((h) => Math.max(0, h));
    const mean = act.reduce((s, y) => s + y, 0) / 20;
    expect(values["act.mean"]).toBeCloseTo(mean, DIGITS);
    expect(values["act.std"]).toBeCloseTo(norm(act.map((y) => y - mean)) / Math.sqrt(20), DIGITS);
    expect(values["act.zeros"]).toBeCloseTo(act.filter((y) => y === 0).length / 20, 12);
    expect(values["hidden.largest"]).toBeCloseTo(Math.max(...hidden.map(Math.abs)), DIGITS);
    await expect(probed(activationStatistics(["nowhere"], { steps: 2 }))).rejects.toThrow(
      'taps must be paths of tapped values, got "nowhere". Known: hidden, norm, act, drop, head.',
    );
  });
});
