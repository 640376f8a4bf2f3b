/** The programs a gradient's case is run as: its outputs alone, and its gradients. */
import { GraphWriter, Ops } from "../../src/build/index.ts";
import { gradients } from "../../src/gradients/index.ts";
import { lowerProgram } from "../../src/lower/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { Graph, Program, type Value } from "../../src/program/index.ts";
import type { Device, Runtime, Session } from "../../src/runtime/index.ts";
import { elementCount, isFloat, type Random, seededRandom, Tensor, toNumbers } from "../../src/tensor/index.ts";
import type { GradientCase } from "./gradient-case.ts";

/** A case with its numbers drawn. */
export interface DrawnCase {
  readonly subject: GradientCase;
  readonly inputs: readonly Tensor[];
  /** Indices of the inputs that are differentiated. */
  readonly wrt: readonly number[];
  /** A new generator of the weights that outputs have in the loss: the same ones in every program of the case. */
  readonly random: () => Random;
}

/** Draws a case's operands, always the same ones. */
export function draw(subject: GradientCase): DrawnCase {
  const random = seededRandom(20260101);
  const inputs = subject.inputs.map((input) => (input instanceof Tensor ? input : input(random)));
  const floats = inputs.flatMap(({ dtype }, index) => (isFloat(dtype) ? [index] : []));
  return { subject, inputs, wrt: subject.wrt ?? floats, random: () => seededRandom(7) };
}

/** Which of a case's programs, and its element type. */
export interface ProgramSettings {
  readonly dtype: "float32" | "float64";
  readonly device: Device;
  /** "outputs": the case as it is; "first": the gradients of its weighted sum; "second": those of the gradients' weighted sum. */
  readonly order: "outputs" | "first" | "second";
  /** Weights of the outputs in the loss: 1, or random (the default), so that no two outputs can stand in for each other. */
  readonly weights?: "ones" | "random";
}

/** A program of a case, with what is known about it before it runs. */
export interface CaseProgram {
  readonly program: Program;
  /** The values that the outputs stand for; undefined where nothing depends on the input. */
  readonly outputs: readonly (Value | undefined)[];
}

/** Builds one of a case's programs, lowered for the device. Outputs are called `y0`, `y1`, ... */
export function buildProgram({ subject, inputs, wrt, random }: DrawnCase, settings: ProgramSettings): CaseProgram {
  const { dtype, device, order, weights = "random" } = settings;
  const writer = new GraphWriter(new Graph(), subject.opset);
  const ops = new Ops(writer);
  const values = inputs.map((input, index) =>
    ops.input(`x${index}`, isFloat(input.dtype) ? dtype : input.dtype, input.shape),
  );
  const weightedSum = (terms: readonly (Value | undefined)[]): Value => {
    const generator = random();
    const floats = terms.filter((term) => term !== undefined && isFloat(term.dtype)) as Value[];
    return floats
      .map((term) => ops.mul(term, weights === "ones" ? 1 : weightOf(ops, term, generator)))
      .map((term) => ops.reduceSum(term, { keepDims: false }))
      .reduce((a, b) => ops.add(a, b));
  };
  const differentiated = wrt.map((index) => values[index]!);
  let outputs: readonly (Value | undefined)[] = [subject.build(ops, ...values)].flat();
  if (order !== "outputs") outputs = gradients(ops, weightedSum(outputs), differentiated);
  if (order === "second" && outputs.some((output) => output))
    outputs = gradients(ops, weightedSum(outputs), differentiated);
  outputs.forEach((output, index) => {
    if (!output) return;
    const named = ops.identity(output);
    named.name = `y${index}`;
    writer.graph.outputs.push(named);
  });
  const program = new Program(writer.graph, writer.opsets, (subject.opset ?? 21) > 21 ? 12 : 10);
  lowerProgram(program, { device });
  return { program, outputs };
}

/** What the next element of an output weighs in the loss: between 0.5 and 1.5, with either sign. */
export function nextWeight(random: Random): number {
  return (0.5 + random.uniform()) * (random.uniform() < 0.5 ? -1 : 1);
}

function weightOf(ops: Ops, value: Value, random: Random): Value {
  const shape = ops.shapeOf(value);
  const numbers = Float64Array.from({ length: elementCount(shape) }, () => nextWeight(random));
  return ops.constant(convert(new Tensor("float64", shape, numbers), value.dtype as "float64"));
}

/** Makes the program ready to run. Fusions are off: in float64 some make operators that ONNX Runtime cannot run. */
export function createSession(runtime: Runtime, { program }: CaseProgram): Promise<Session> {
  return runtime.createSession(writeModel(program), { optimization: "disabled" });
}

/** Returns what a session is fed: floats in the given element type. */
export function feedsOf(inputs: readonly Tensor[], dtype: "float32" | "float64"): Record<string, Tensor> {
  return Object.fromEntries(inputs.map((input, index) => [`x${index}`, convert(input, dtype)]));
}

function convert(tensor: Tensor, dtype: "float32" | "float64"): Tensor {
  if (!isFloat(tensor.dtype) || tensor.dtype === dtype) return tensor;
  const values = toNumbers(tensor);
  return new Tensor(dtype, tensor.shape, dtype === "float32" ? Float32Array.from(values) : values);
}
