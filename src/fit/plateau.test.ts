import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { computedEvents, recordFit, smallPlan } from "./fit.cases.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import { Plateau } from "./plateau.ts";

describe("Plateau", () => {
  it("falls after so many evaluations in a row that are no better than the best, and waits anew", () => {
    const plateau = new Plateau({ patience: 2, factor: 0.5, metric: "loss" });
    const rate = plateau.slowing((step) => 8 + step);
    const rates = [5, 4, 4, 3, 3, 6, 3.5, 3.1, Number.NaN, 2].map((loss) => {
      plateau.observe({ top1: 0, loss });
      return rate(0);
    });
    //                     best best  -  best -  falls -  falls  -  best
    expect(rates).toEqual([8, 8, 8, 8, 8, 4, 4, 2, 2, 2]);
    expect(plateau.state).toEqual({ best: 2, waited: 0, falls: 2 });
    expect(rate(1)).toBe(9 / 4);
  });

  it("asks more of the accuracy where that is the metric", () => {
    const plateau = new Plateau({ patience: 1, factor: 0.1, metric: "top1" });
    const rate = plateau.slowing(1);
    const rates = [50, 60, 60].map((top1, i) => {
      plateau.observe({ top1, loss: 3 - i });
      return rate(0);
    });
    expect(rates).toEqual([1, 1, 0.1]);
  });
});

describe("a recipe's schedule", () => {
  const written = (schedule: object) => ({
    model: { name: "mlp", width: 0.1 },
    data: { set: "made" },
    epochs: 2,
    learningRate: 0.5,
    batch: { size: 10 },
    schedule: { kind: "plateau", ...schedule },
  });

  it("may be a plateau, beside a warm-up", () => {
    const recipe = parseRecipe({ ...written({ patience: 3 }), warmup: 1 }, "recipe");
    const plan = planTraining(recipe, madeData());
    expect(plan.plateau).toMatchObject({ patience: 3, factor: 0.1, metric: "top1" });
    const rate = plan.step.learningRate as (step: number) => number;
    expect(rate(0)).toBeLessThan(0.5);
    expect(rate(plan.totalSteps - 1)).toBe(0.5);
    expect(
      planTraining(parseRecipe({ ...written({}), schedule: { kind: "constant" } }, "recipe"), madeData()),
    ).toMatchObject({ plateau: undefined });
  });

  it.each([
    [{}, "schedule.patience"],
    [{ patience: 0 }, "schedule.patience"],
    [{ patience: 1.5 }, "schedule.patience"],
    [{ patience: 1, factor: 0 }, "schedule.factor"],
    [{ patience: 1, metric: "top5" }, "schedule.metric"],
  ])("refuses %j", (schedule, where) => {
    expect(() => parseRecipe(written(schedule), "recipe")).toThrow(where);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "a run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  const plan = smallPlan({
    optimizer: sgd({ learningRate: 1, momentum: 0.9 }),
    evaluationEverySteps: 1,
    plateau: { patience: 2, factor: 0.5, metric: "loss" },
  });

  it("takes steps at the rate that has fallen, and reports it", async () => {
    const { events, result } = await recordFit(plan, runtime, { reportEverySteps: 1 });
    const losses = events.filter(({ type }) => type === "evaluation").map(({ loss }) => loss as number);
    const rates = events.filter(({ type }) => type === "steps").map(({ learningRate }) => learningRate);
    // By hand: the rate of a step is that after the evaluations before it.
    let [best, waited, rate] = [Number.POSITIVE_INFINITY, 0, 1];
    const expected = losses.map((loss) => {
      const before = rate;
      waited = loss < best ? 0 : waited + 1;
      best = Math.min(best, loss);
      if (waited === 2) [waited, rate] = [0, rate / 2];
      return before;
    });
    expect(rates).toEqual(expected);
    expect(rates.at(-1)).toBeLessThan(1);
    const constant = await recordFit({ ...plan, plateau: undefined }, runtime);
    expect(constant.result.variables).not.toEqual(result.variables);
    // The plan remembers nothing of it: another run is the same.
    expect((await recordFit(plan, runtime)).result.variables).toEqual(result.variables);
  });

  it("goes on from every checkpoint bit for bit", async () => {
    const whole = await recordFit(plan, runtime, { reportEverySteps: 1 });
    expect(new Set(whole.checkpoints.map(({ progress }) => progress.plateau!.falls)).size).toBeGreaterThan(2);
    for (const { kind: _, eventsBefore, ...resume } of whole.checkpoints) {
      const second = await recordFit(plan, runtime, { resume, reportEverySteps: 1 });
      expect(second.result.variables).toEqual(whole.result.variables);
      const kept = whole.events.slice(0, eventsBefore);
      expect([...computedEvents(kept), ...computedEvents(second.events)]).toEqual(computedEvents(whole.events));
    }
  });
});
