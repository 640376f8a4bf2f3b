/** Drop in agreement with the float model: what needs no labels. */
import { DataError } from "../../errors.ts";
import { type ModelFile, writeModel } from "../../onnx/index.ts";
import type { Layer } from "../../prepare/index.ts";
import { cloneProgram, type Program } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { isFloat, type Tensor, toNumbers } from "../../tensor/index.ts";
import type { CalibrationData, Feeds } from "../options.ts";
import type { DropMeasure } from "./limits.ts";

/** Samples below which a point of agreement means nothing. */
const FEWEST_DECISIONS = 20;

/**
 * Returns a measure of the samples, in percent, on which a model's highest score is not the float model's.
 *
 * @throws DataError if the model gives no scores of classes, or there are too few samples.
 */
export async function agreementDrop(
  program: Program,
  layers: readonly Layer[],
  data: CalibrationData,
  runtime: Runtime,
): Promise<DropMeasure> {
  const outputs = program.graph.outputs.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  const [output] = outputs;
  if (outputs.length !== 1 || !output || !layers.some(({ isClassifier }) => isClassifier)) {
    throw new DataError(
      "quantize: maxDrop needs a model that gives scores of classes, got another. Limit the size or the latency instead.",
    );
  }
  const { name } = output;
  const decisionsOf = async (model: ModelFile): Promise<number[]> => {
    const session = await runtime.createSession(model);
    try {
      const decisions: number[] = [];
      for await (const feeds of data.batches()) decisions.push(...topClasses(await runOne(session, feeds, name)));
      return decisions;
    } finally {
      await session.release();
    }
  };
  const expected = await decisionsOf(writeModel(cloneProgram(program).program));
  if (expected.length < FEWEST_DECISIONS) {
    throw new DataError(
      `quantize: maxDrop needs at least ${FEWEST_DECISIONS} samples to measure agreement on, got ${expected.length}. Give more calibration samples, or labelled data.`,
    );
  }
  return {
    name: "agreement with the float model",
    async measure(model) {
      const decisions = await decisionsOf(model);
      const same = decisions.filter((decision, i) => decision === expected[i]).length;
      return 100 * (1 - same / expected.length);
    },
  };
}

async function runOne(
  session: Awaited<ReturnType<Runtime["createSession"]>>,
  feeds: Feeds,
  name: string,
): Promise<Tensor> {
  return (await session.run(feeds, [name]))[name]!;
}

/** The class with the highest score of each row, the first of several. */
function topClasses(scores: Tensor): number[] {
  const classes = scores.shape.findLast((length) => length !== 1) ?? 1;
  const numbers = toNumbers(scores);
  return Array.from({ length: numbers.length / classes }, (_, row) => {
    const own = numbers.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY));
  });
}
