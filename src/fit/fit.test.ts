import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { linear, sequential } from "../nn/index.ts";
import { averaged, clipByNorm, measured, sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { toNumbers } from "../tensor/index.ts";
import { computedEvents, recordFit, smallPlan } from "./fit.cases.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import { activationStatistics } from "./probes/activation-statistics.ts";
import { distanceFromInitialization } from "./probes/distance-from-initialization.ts";
import { gradientAndWeightNorms } from "./probes/gradient-and-weight-norms.ts";
import type { TrainingPlan } from "./training-plan.ts";

const reason = reasonWithoutOnnxRuntimeNode();

/** Everything at once: averages, clipped and measured gradients, probes that are due at odd times. */
const rich = smallPlan({
  optimizer: averaged(measured(clipByNorm(sgd({ learningRate: (step) => 0.2 / (1 + step), momentum: 0.9 }), 1)), {
    decay: 0.8,
  }),
  averaging: { decay: 0.8 },
});
const probes = () => ({
  distance: distanceFromInitialization({ steps: 3 }),
  norms: gradientAndWeightNorms({ epochs: 1 }),
  activations: activationStatistics(["act"], { steps: 4 }),
});

/** A plan that gives the signal to stop when the batch of a step is asked for. */
function abortingAt(plan: TrainingPlan, step: number, controller: AbortController): TrainingPlan {
  return {
    ...plan,
    async *batches(epoch, firstBatch) {
      let at = epoch * plan.stepsPerEpoch + firstBatch;
      for await (const batch of plan.batches(epoch, firstBatch)) {
        if (at++ === step) controller.abort();
        yield batch;
      }
    },
  };
}

describeUnless(reason, "fit", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("reports means since the last report, evaluates when it is time and at the end, and says where it is", async () => {
    const { events, result, checkpoints } = await recordFit(smallPlan(), runtime, { reportEverySteps: 2 });
    const line = (event: Readonly<Record<string, unknown>>) => `${event.type} ${event.step}`;
    expect(events.map(line)).toEqual([
      "start 0",
      ...["steps 2", "steps 4", "steps 5", "evaluation 5", "checkpoint 5"],
      ...["steps 6", "steps 8", "steps 10", "evaluation 10", "checkpoint 10"],
      ...["steps 12", "evaluation 12", "checkpoint 12", "end 12"],
    ]);
    expect(events[0]).toMatchObject({ resumed: false, totalSteps: 12, stepsPerEpoch: 5, parameterCount: 51, epoch: 0 });
    expect(events.at(-1)).toMatchObject({ reason: "completed", epoch: 2.4 });
    // The rate of the last step taken, number 11.
    expect(events.at(-4)).toMatchObject({ type: "steps", learningRate: 0.2 / 12 });
    const { type: _, step: __, epoch: ___, split, weights, ...measuredLast } = events.at(-3)!;
    expect([split, weights]).toEqual(["test", "last"]);
    expect(result.final).toEqual(measuredLast);
    expect(checkpoints.map(({ progress: { step, epoch, batch } }) => [step, epoch, batch])).toEqual([
      [5, 1, 0],
      [10, 2, 0],
      [12, 2, 2],
    ]);
    const alone = await recordFit(smallPlan(), runtime, { reportEverySteps: 1 });
    const losses = alone.events
      .filter(({ type }) => type === "steps")
      .map(({ metrics }) => (metrics as { loss: number }).loss);
    expect((events[1]!.metrics as { loss: number }).loss).toBe((losses[0]! + losses[1]!) / 2);
    expect(losses).toHaveLength(12);
  });

  it("takes eight steps in a call as it takes one, bit for bit", async () => {
    const one = await recordFit(rich, runtime, { probes: probes() });
    const many = await recordFit(rich, runtime, { probes: probes(), loop: true, reportEverySteps: 4 });
    const other = await recordFit(rich, runtime, { probes: probes(), reportEverySteps: 4 });
    expect(many.result.variables).toEqual(one.result.variables);
    expect(many.events).toEqual(other.events);
  });

  describe.each([false, true])("resumed (loop: %s)", (loop) => {
    it("goes on from any batch as if it had not stopped: same variables, same events, none twice", async () => {
      const whole = await recordFit(rich, runtime, { probes: probes(), reportEverySteps: 3 });
      for (let stop = 0; stop < rich.totalSteps; stop += loop ? 5 : 1) {
        const controller = new AbortController();
        const options = { probes: probes(), reportEverySteps: 3, loop };
        const aborting = abortingAt(rich, stop, controller);
        const first = await recordFit(aborting, runtime, { ...options, signal: controller.signal });
        const last = first.checkpoints.at(-1)!;
        // The last step too: its evaluation is still to come.
        expect(first.result.reason).toBe("interrupted");
        // What was recorded after the checkpoint is dropped, as a folder does when it is opened again.
        const kept = first.events.slice(0, last.eventsBefore);
        const { kind: _, eventsBefore: __, ...resume } = last;
        const second = await recordFit(rich, runtime, { ...options, resume });
        expect(second.result.variables).toEqual(whole.result.variables);
        expect(second.result.best).toEqual(whole.result.best);
        expect(second.result.final).toEqual(whole.result.final);
        expect([...computedEvents(kept), ...computedEvents(second.events)]).toEqual(computedEvents(whole.events));
      }
    });
  });

  it("goes on from every checkpoint that it saves, those between reports too", async () => {
    const whole = await recordFit(rich, runtime, { checkpointEverySeconds: 0, reportEverySteps: 3 });
    expect(whole.checkpoints.map(({ progress }) => progress.step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(whole.checkpoints[3]!.progress.unreported.steps).toBe(1);
    for (const { kind: _, eventsBefore, ...resume } of whole.checkpoints) {
      const second = await recordFit(rich, runtime, { resume, reportEverySteps: 3 });
      expect(second.result.variables).toEqual(whole.result.variables);
      const kept = whole.events.slice(0, eventsBefore);
      expect([...computedEvents(kept), ...computedEvents(second.events)]).toEqual(computedEvents(whole.events));
    }
  });

  it("goes on bit for bit in 8 bits: rounding and ranges are those of a run that was left alone", async () => {
    const recipe = parseRecipe(
      {
        model: { name: "mlp", width: 0.1 },
        data: { set: "made" },
        epochs: 2,
        batch: { size: 10 },
        precision: { kind: "int8", activations: { range: "running" }, gradients: { range: "delayed" } },
      },
      "recipe",
    );
    const plan = planTraining(recipe, madeData());
    const whole = await recordFit(plan, runtime, { checkpointEverySeconds: 0 });
    const { kind: _, eventsBefore: __, ...resume } = whole.checkpoints[2]!;
    expect(resume.progress.step).toBe(3);
    expect(Object.keys(resume.variables).filter((path) => /Range$/.test(path)).length).toBeGreaterThan(3);
    const second = await recordFit(plan, runtime, { resume });
    expect(second.result.variables).toEqual(whole.result.variables);
  });

  it("stops in the middle of an evaluation, and makes up for it when it goes on", async () => {
    const plan = smallPlan();
    const whole = await recordFit(plan, runtime);
    const controller = new AbortController();
    let begun = 0;
    const [part] = plan.parts;
    const stopping: TrainingPlan = {
      ...plan,
      parts: [
        {
          split: "test",
          async *batches() {
            for await (const batch of part!.batches()) {
              if (++begun === 4) controller.abort();
              yield batch;
            }
          },
        },
      ],
    };
    const first = await recordFit(stopping, runtime, { signal: controller.signal });
    expect(first.result).toMatchObject({ reason: "interrupted", final: null });
    const { kind, eventsBefore: _, ...resume } = first.checkpoints.at(-1)!;
    expect([kind, resume.progress.step, resume.progress.evaluationDue]).toEqual(["last", 10, true]);
    const second = await recordFit(plan, runtime, { resume });
    expect([...computedEvents(first.events), ...computedEvents(second.events)]).toEqual(computedEvents(whole.events));
    expect(second.result.variables).toEqual(whole.result.variables);
  });

  it("ends before the first step where it is told to, and when time is up, with a checkpoint", async () => {
    const stopped = await recordFit(smallPlan(), runtime, { signal: AbortSignal.abort() });
    expect(stopped.result).toMatchObject({ reason: "interrupted", final: null, best: null });
    expect(stopped.checkpoints.map(({ progress }) => progress.step)).toEqual([0]);
    const late = await recordFit(smallPlan(), runtime, { timeBudgetSeconds: 0 });
    expect(late.result).toMatchObject({ reason: "time budget", best: null });
    expect(late.result.final!.count).toBe(7);
    expect(late.events.map(({ type }) => type)).toEqual(["start", "checkpoint", "end"]);
  });

  it("keeps the best, and stops when evaluations get no better, also in a resumed run", async () => {
    // From step 10 on, up the gradient.
    const plan = smallPlan({
      network: sequential({ head: linear(3) }),
      optimizer: sgd({ learningRate: (step) => (step < 10 ? 0.1 : -0.5) }),
      totalSteps: 100,
      earlyStopping: { patience: 2, metric: "loss" },
    });
    const { result, events, checkpoints } = await recordFit(plan, runtime);
    expect(result.reason).toBe("early stopping");
    expect(result.best!.step).toBe(10);
    const evaluations = events.filter(({ type }) => type === "evaluation");
    expect(evaluations.map(({ step }) => step)).toEqual([5, 10, 15, 20]);
    expect(result.best!.loss).toBe(Math.min(...evaluations.map(({ loss }) => loss as number)));
    expect(checkpoints.map(({ kind }) => kind)).toEqual(["best", "best", "last", "last"]);
    expect(result.bestVariables).toEqual(checkpoints[1]!.variables);
    const { kind: _, eventsBefore: __, ...resume } = checkpoints[2]!;
    expect((await recordFit(plan, runtime, { resume })).result).toMatchObject({
      reason: "early stopping",
      best: result.best,
    });
  });

  it("saves the last good state when a step fails, and passes the failure on", async () => {
    const plan = smallPlan({ optimizer: sgd({ learningRate: (step) => (step < 7 ? 0.1 : Number.NaN) }) });
    for (const loop of [false, true]) {
      const saved: number[] = [];
      const failing = recordFit(plan, runtime, {
        loop,
        reportEverySteps: 10,
        saveCheckpoint: async ({ progress, variables }) => {
          expect(toNumbers(variables.step!)[0]).toBe(progress.step);
          saved.push(progress.step);
        },
      });
      await expect(failing).rejects.toThrow("training: variables must stay finite, got others in step 7.");
      expect(saved).toEqual([5, 7]);
    }
  });

  it("saves the last good state when data fail, and says when they are too few", async () => {
    const plan = smallPlan();
    const short: TrainingPlan = {
      ...plan,
      async *batches(epoch, firstBatch) {
        let left = epoch === 1 ? 2 : 5;
        for await (const batch of plan.batches(epoch, firstBatch)) if (left-- > 0) yield batch;
      },
    };
    const saved: number[] = [];
    const saveCheckpoint = async ({ progress }: { progress: { step: number } }) => {
      saved.push(progress.step);
    };
    await expect(recordFit(short, runtime, { saveCheckpoint })).rejects.toThrow(
      "fit: each pass over the training data must have 5 batches, got 2 in pass 1.",
    );
    expect(saved).toEqual([5, 7]);
  });

  it("measures averages beside the last weights, and lets them decide", async () => {
    const { events, result } = await recordFit(rich, runtime);
    const evaluations = events.filter(({ type }) => type === "evaluation");
    expect(evaluations.map(({ step, weights }) => [step, weights])).toEqual(
      [5, 10, 12].flatMap((step) => [
        [step, "last"],
        [step, "average"],
      ]),
    );
    const [last, average] = evaluations.slice(-2);
    expect(result.final!.loss).toBe(average!.loss);
    expect(last!.loss).not.toBe(average!.loss);
    const decisive = evaluations.filter(({ weights }) => weights === "average");
    expect(decisive.map(({ loss }) => loss)).toContain(result.best!.loss);
  });

  it("refuses what makes no sense", async () => {
    const plan = smallPlan();
    const { checkpoints } = await recordFit(plan, runtime);
    const { variables, progress } = checkpoints[0]!;
    await expect(
      recordFit(plan, runtime, { resume: { variables, progress: { ...progress, step: 6 } } }),
    ).rejects.toThrow("got step 6 with variables of step 5. Is it another run's?");
    await expect(recordFit(plan, runtime, { reportEverySteps: 0 })).rejects.toThrow(
      "fit: reportEverySteps must be a whole number of at least 1, got 0.",
    );
    await expect(recordFit(plan, runtime, { timeBudgetSeconds: -1 })).rejects.toThrow(
      "fit: timeBudgetSeconds must be a number of at least 0, got -1.",
    );
    await expect(
      recordFit(plan, runtime, { probes: { a: distanceFromInitialization({ epochs: 0 }) } }),
    ).rejects.toThrow('fit: every.epochs of probe "a" must be above 0, got 0.');
  });
});
