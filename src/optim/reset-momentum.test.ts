import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { compile } from "../train/index.ts";
import { adam } from "./adam.ts";
import { averaged } from "./averaged.ts";
import { pathOf, quadratic, startOf } from "./optimizer.cases.ts";
import { resetMomentum } from "./reset-momentum.ts";
import { sgd } from "./sgd.ts";

const momentum = sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 });

describeUnless(reasonWithoutOnnxRuntimeNode(), "resetMomentum", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it.each([
    ["sgd", momentum],
    ["adam, whose corrections begin anew too", adam({ learningRate: 0.1 })],
  ])("is a new optimizer every three steps: %s", async (_, optimizer) => {
    const path = await pathOf(runtime, quadratic(resetMomentum(optimizer, { everySteps: 3 })), 7);
    // The same by hand: a training of its own for every three steps.
    const parts: number[][] = [];
    let variables = startOf();
    for (let part = 0; part < 3; part++) {
      const training = await compile(quadratic(optimizer), { runtime, variables });
      for (let step = 0; step < 3; step++) {
        await training.run({});
        const all = await training.variables();
        variables = { "a.weight": all["a.weight"]!, "b.weight": all["b.weight"]! };
        parts.push(Object.values(variables).flatMap((tensor) => Array.from(tensor.data as Float32Array)));
      }
      await training.release();
    }
    expect(path).toEqual(parts.slice(0, 7));
    // What is asserted is not so without it.
    expect(path[4]).not.toEqual((await pathOf(runtime, quadratic(optimizer), 5))[4]);
  });

  it("leaves averages alone that are kept around it", async () => {
    const step = quadratic(averaged(resetMomentum(sgd({ learningRate: 0 }), { everySteps: 1 }), { decay: 0.5 }));
    const training = await compile(step, { runtime, variables: startOf() });
    for (let i = 0; i < 3; i++) await training.run({});
    expect((await training.variables())["optimizer.average.a.weight"]).toEqual(startOf()["a.weight"]);
    await training.release();
  });

  it("refuses intervals that are none", () => {
    expect(() => resetMomentum(momentum, { everySteps: 0 })).toThrow(
      "resetMomentum: everySteps must be a whole number of at least 1, got 0.",
    );
  });
});
