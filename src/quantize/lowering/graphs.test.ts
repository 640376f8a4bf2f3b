import { describe, expect, it } from "vitest";
import { operators, sqnrDb } from "../small-models.cases.ts";
import { graphModels, oddModels } from "./graph-models.cases.ts";
import { batchesOf, quantizeAs, run, type Setting, settingName } from "./lower-model.cases.ts";

const SETTINGS: readonly (Setting & { readonly fewestDecibels: number })[] = [
  // As for single layers: 43 dB for one rounding at 8 bits, 19 at 4, less what two or three layers add up to.
  { target: "cpu", weights: 8, activations: 8, fewestDecibels: 30 },
  { target: "portable", weights: 8, activations: 8, fewestDecibels: 30 },
  { target: "webgpu", weights: 8, activations: 16, fewestDecibels: 32 },
  { target: "simulate", weights: 8, activations: 8, fewestDecibels: 32 },
];

describe.each(graphModels)("$name", (model) => {
  const program = model.build();
  const batches = batchesOf(program);
  // Weights alone are as in any model of layers: tried where something else is odd.
  const settings = SETTINGS.filter(({ target }) => target !== "webgpu" || oddModels.includes(model));

  it.each(settings.map((setting) => [settingName(setting), setting] as const))(
    "%s is close to float",
    async (_, setting) => {
      const { program: quantized } = await quantizeAs(program, setting, batches);
      const actual = await run(quantized, batches[0]!, { keepQuantization: setting.target === "simulate" });
      expect(sqnrDb(await run(program, batches[0]!), actual)).toBeGreaterThan(setting.fewestDecibels);
      expect(quantized.graph.outputs.map(({ name, dtype }) => [name, dtype])).toEqual(
        program.graph.outputs.map(({ name, dtype }) => [name, dtype]),
      );
      if (setting.target === "cpu")
        expect(operators(quantized).join(" ").replaceAll("com.microsoft.", "q.")).toBe(model.cpu);
    },
  );
});
