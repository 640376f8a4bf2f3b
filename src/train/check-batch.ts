/** What is fed to a step, checked before the engine sees it. */
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import type { InputSpecification, TrainStep } from "./train-step.ts";

/**
 * Checks that a batch is what a program was built for, but for the lengths of its axes.
 *
 * @param what What the program is, for messages.
 * @throws OptionError if an input is missing or unknown. ShapeError, DTypeError if one does not fit.
 */
export function assertBatch(
  batch: Readonly<Record<string, Tensor>>,
  inputs: Readonly<Record<string, Required<InputSpecification>>>,
  what: "step" | "evaluation" = "step",
): void {
  const where = what === "step" ? "training" : what;
  const names = Object.keys(inputs).join(", ");
  const holds = `${where}: a batch must hold the ${what}'s inputs [${names}]`;
  for (const name of Object.keys(batch)) {
    if (inputs[name] === undefined) throw new OptionError(`${holds}, got one named "${name}".`);
  }
  for (const [name, { shape, dtype }] of Object.entries(inputs)) {
    const tensor = batch[name];
    if (tensor === undefined) throw new OptionError(`${holds}, got none for "${name}".`);
    if (tensor.dtype !== dtype)
      throw new DTypeError(`${where}: input "${name}" must be ${dtype}, got ${tensor.dtype}.`);
    if (tensor.shape.length !== shape.length) {
      throw new ShapeError(
        `${where}: input "${name}" must have as many axes as [${shape.join(", ")}], got [${tensor.shape.join(", ")}].`,
      );
    }
  }
}

/**
 * Checks that variables are those of the step, all of them.
 *
 * @throws OptionError naming the first that is missing, unknown, or of another shape or element type.
 */
export function assertVariables(variables: Readonly<Record<string, Tensor>>, step: TrainStep): void {
  const known = new Map(step.variables.map((variable) => [variable.path, variable]));
  const unknown = Object.keys(variables).find((path) => !known.has(path));
  if (unknown !== undefined)
    throw new OptionError(`training: variables must be the step's, got one named "${unknown}". Is it another model's?`);
  for (const [path, { shape, dtype }] of known) {
    const tensor = variables[path];
    if (tensor?.dtype === dtype && tensor.shape.join() === shape.join()) continue;
    const came = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "none";
    throw new OptionError(
      `training: variables must hold "${path}" as ${dtype} [${shape.join(", ")}], got ${came}. Is it another model's?`,
    );
  }
}
