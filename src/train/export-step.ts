/** Training steps as ONNX files: to be stepped from any language that has ONNX Runtime, without Modicum. */
import { lowerProgram } from "../lower/index.ts";
import { type ModelFile, writeModel } from "../onnx/index.ts";
import { cloneProgram } from "../program/index.ts";
import type { Device } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { initialVariables } from "./initial-variables.ts";
import { LEARNING_RATE, type TrainStep } from "./train-step.ts";

/** For whom a step is written. */
export interface ExportStepOptions {
  /** Device whose operators and fastest forms are used. Default "wasm": standard operators only, which run everywhere. */
  readonly device?: Device;
  /** Seed of the first variables. Default 0. */
  readonly seed?: number;
}

/** A training step to be run without Modicum. */
export interface ExportedStep {
  /**
   * The step. Feed a batch, `learningRate` and every variable under its path; take each variable's next value from the output
   * `next.<path>`. The file's metadata says so too: `modicum.inputs`, `modicum.variables` and `modicum.metrics` are JSON
   * lists of names.
   */
  readonly model: ModelFile;
  /** What the variables start with, by path. */
  readonly variables: Readonly<Record<string, Tensor>>;
}

/**
 * Writes a training step as an ONNX file, with the variables it starts from.
 *
 * @example
 * const { model, variables } = exportStep(step);
 * await writeFile("step.onnx", model.bytes);
 */
export function exportStep(step: TrainStep, { device = "wasm", seed = 0 }: ExportStepOptions = {}): ExportedStep {
  const { program } = cloneProgram(step.program);
  lowerProgram(program, { device });
  const metadata = new Map([
    ["modicum.inputs", JSON.stringify([...Object.keys(step.inputs), LEARNING_RATE])],
    ["modicum.variables", JSON.stringify(step.variables.map(({ path }) => path))],
    ["modicum.metrics", JSON.stringify(step.metrics)],
  ]);
  program.extras = { ...program.extras, metadata };
  return { model: writeModel(program), variables: initialVariables(step.variables, seed) };
}
