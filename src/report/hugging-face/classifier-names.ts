/** The names that transformers.js expects of an image classifier's input and output. */
import { UnsupportedError } from "../../errors.ts";
import type { Program, Value } from "../../program/index.ts";

/** Input and output of an image classifier. */
export interface ClassifierInterface {
  readonly input: Value;
  readonly output: Value;
  /** Number of classes; undefined when the model's file does not say. */
  readonly classCount: number | undefined;
}

/** Name of the input: pictures, float32 [batch, channels, height, width]. */
export const PICTURE_INPUT = "pixel_values";

/** Name of the output: scores before the softmax, [batch, classes]. */
export const SCORE_OUTPUT = "logits";

/**
 * Returns input and output of an image classifier.
 *
 * @throws UnsupportedError if the model has other than one float input of rank 4 and one output, or its input and output are
 * called anything but `pixel_values` and `logits` while `named` is true.
 */
export function classifierInterface(program: Program, named = false): ClassifierInterface {
  const { graph } = program;
  const inputs = graph.inputs.filter((value) => !value.constant);
  const [input, output] = [inputs[0], graph.outputs[0]];
  const list = (values: readonly Value[]): string => values.map(({ name }) => name).join(", ") || "none";
  if (!input || !output || inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new UnsupportedError(
      `image classifier: must have one input and one output, got inputs ${list(inputs)} and outputs ${list(graph.outputs)}. ` +
        'Lay it out with task "other".',
    );
  }
  if (input.shape && input.shape.length !== 4) {
    throw new UnsupportedError(
      `image classifier: the input must have rank 4 [batch, channels, height, width], got [${input.shape.join(", ")}]. ` +
        'Lay it out with task "other".',
    );
  }
  if (named && (input.name !== PICTURE_INPUT || output.name !== SCORE_OUTPUT)) {
    throw new UnsupportedError(
      `image classifier: for transformers.js input and output must be called ${PICTURE_INPUT} and ${SCORE_OUTPUT}, ` +
        `got ${input.name} and ${output.name}. Rename them with renameClassifier before writing the model.`,
    );
  }
  const last = output.shape?.at(-1);
  return { input, output, classCount: typeof last === "number" ? last : undefined };
}

/**
 * Renames an image classifier's input to `pixel_values` and its output to `logits`, in place: transformers.js finds them by name.
 * A model whose last layer is a softmax still ranks classes rightly, but transformers.js applies a softmax of its own to the scores.
 *
 * @throws UnsupportedError if the model has other than one input of rank 4 and one output.
 * @example
 * const program = readModel(bytes);
 * renameClassifier(program);
 * const { bytes: renamed } = writeModel(program);
 */
export function renameClassifier(program: Program): void {
  const { input, output } = classifierInterface(program);
  input.name = PICTURE_INPUT;
  output.name = SCORE_OUTPUT;
}
