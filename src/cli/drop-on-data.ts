/** What a model loses on data that it is evaluated on: what `--max-drop` limits. */
import { DataError } from "../errors.ts";
import { evaluateModels } from "../evaluate/index.ts";
import type { DropMeasure } from "../quantize/index.ts";
import type { CommandContext } from "./command.ts";
import { type EvaluationOptions, type Subject, withEvaluatedModels } from "./evaluate-models.ts";

/**
 * Returns a measure of what models lose on labelled data in top-1; on data without labels, in agreement with the float model.
 *
 * @throws DataError if the model does not decide anything on these data.
 */
export async function dropOnData(
  model: Subject,
  options: EvaluationOptions,
  context: CommandContext,
): Promise<DropMeasure> {
  const evaluate = (subject: Subject) =>
    withEvaluatedModels([subject], { ...options, quiet: true, timing: 0 }, context, async (setup) => {
      const { models, predictions } = await evaluateModels(setup.models, setup.options);
      return { evaluation: models[0]!, decisions: predictions[0] ?? null };
    });
  const float = await evaluate(model);
  const { decisions } = float;
  if (decisions === null) {
    throw new DataError(
      `--max-drop: ${model.path} must decide between classes, got other outputs. Limit the size instead.`,
    );
  }
  const { top1 } = float.evaluation;
  return {
    name: top1 === null ? "agreement with the float model" : "top-1",
    async measure(file) {
      const own = await evaluate({ ...model, file });
      if (top1 !== null) return top1 - own.evaluation.top1!;
      const same = own.decisions!.reduce((count, decision, i) => count + (decision === decisions[i] ? 1 : 0), 0);
      return 100 * (1 - same / decisions.length);
    },
  };
}
