/** Training steps: forward, backward, optimizer and statistics as one program. */
import {
  type Initializer,
  Ops,
  type Optimizer,
  type OptimizerContext,
  type ParameterGradient,
  type Schedule,
  Scope,
  type Variable,
  type VariableDeclaration,
  type VariableSource,
} from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { gradients } from "../gradients/index.ts";
import { Program, type Value } from "../program/index.ts";
import { type DType, zeros } from "../tensor/index.ts";
import { seededValues } from "./seeded-values.ts";
import { StepVariables } from "./step-variables.ts";

/** Shape and element type of what is fed in each step. */
export interface InputSpecification {
  readonly shape: readonly number[];
  /** Default "float32". */
  readonly dtype?: DType;
}

/** What a model says about its inputs: the loss to minimize, and anything else worth knowing in each step. */
export interface LossAndMetrics {
  /** Scalar. */
  readonly loss: Value;
  readonly [metric: string]: Value;
}

/** Writes the model and its loss into the scope. */
export type LossFunction = (inputs: Readonly<Record<string, Value>>, scope: Scope) => Value | LossAndMetrics;

/** What a training step is made of. */
export interface TrainStepOptions {
  readonly inputs: Readonly<Record<string, InputSpecification>>;
  readonly loss: LossFunction;
  readonly optimizer: Optimizer;
  /** Element type of parameters and arithmetic. Default "float32". */
  readonly dtype?: "float32" | "float64";
}

/** A variable of a step: fed under `path`, and what it becomes comes out under `next`. */
export interface StepVariable extends VariableDeclaration {
  readonly path: string;
  readonly next: string;
}

/** A training step as a program. Its inputs are the data, `learningRate` and the variables; its outputs metrics and variables. */
export interface TrainStep {
  readonly program: Program;
  readonly inputs: Readonly<Record<string, Required<InputSpecification>>>;
  readonly variables: readonly StepVariable[];
  /** Names of the outputs that are not variables; the first is "loss". */
  readonly metrics: readonly string[];
  readonly learningRate: number | Schedule;
  /** Element type of parameters and of the learning rate. */
  readonly dtype: "float32" | "float64";
}

/** Input that the learning rate is fed to. */
export const LEARNING_RATE = "learningRate";

/** Paths of the two counters that random numbers and optimizers depend on. */
export const STEP = "step";
export const SEED = "seed";

/**
 * Builds a training step: one program that computes the loss, its gradients, and what the parameters become.
 *
 * @throws ShapeError, DTypeError naming the layer where the model does not fit together.
 * @throws UnsupportedError naming the operators without a gradient between the loss and a parameter.
 * @example
 * const step = trainStep({
 *   inputs: { x: { shape: [64, 784] }, label: { shape: [64], dtype: "int64" } },
 *   loss: ({ x, label }, scope) => nn.crossEntropy(nn.linear(10)(x!, scope), label!, scope),
 *   optimizer: optim.sgd({ learningRate: 0.1 }),
 * });
 */
export function trainStep(options: TrainStepOptions): TrainStep {
  const { dtype = "float32", optimizer } = options;
  const inputs = specify(options.inputs);
  const ops = new Ops();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, ops.input(name, input.dtype, input.shape)]),
  );
  const learningRate = ops.input(LEARNING_RATE, dtype, []);
  const variables = new StepVariables(ops);
  const seed = variables.declare(SEED, { shape: [], dtype: "int64", role: "counter", initial: zeros("int64", []) });
  const step = variables.declare(STEP, { shape: [], dtype: "int64", role: "counter", initial: zeros("int64", []) });
  const random = seededValues(ops, seed, step);

  const forward = (source: VariableSource): LossAndMetrics => {
    const result = options.loss(values, new Scope(ops, { variables: source, training: true, dtype, random }));
    return "loss" in result ? result : { loss: result as Value };
  };
  const metrics = forward(variables);
  const parameters = variables.all.filter(({ role }) => role === "parameter");
  const context: OptimizerContext = {
    ops: ops.at("optimizer"),
    learningRate,
    step: ops.cast(step, dtype),
    random,
    parameters,
    gradients(weights) {
      const { loss } = weights ? forward(replaced(variables, weights)) : metrics;
      return gradientsOf(ops, loss, parameters, weights);
    },
    slot: (parameter, name, initial = 0) => variables.declare(slotPath(parameter, name), slotLike(parameter, initial)),
    updateSlot: (parameter, name, next) => variables.update(slotPath(parameter, name), next),
    update: (parameter, next) => variables.update(parameter.path, next),
  };
  optimizer.apply(context);
  variables.update(STEP, ops.add(step, 1));
  return { ...finish(ops, inputs, metrics, variables), learningRate: optimizer.learningRate, dtype };
}

function specify(inputs: TrainStepOptions["inputs"]): TrainStep["inputs"] {
  const reserved = [LEARNING_RATE, STEP, SEED].find((name) => name in inputs);
  if (reserved) throw new OptionError(`trainStep: inputs must not be called "${reserved}", which every step has.`);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => [name, { shape, dtype }]),
  );
}

/** Variables whose values at some paths are others: sampled weights in place of parameters. */
function replaced(variables: StepVariables, weights: ReadonlyMap<string, Value>): VariableSource {
  return {
    declare: (path, declaration) => weights.get(path) ?? variables.declare(path, declaration),
    update: (path, next) => variables.update(path, next),
  };
}

function gradientsOf(
  ops: Ops,
  loss: Value,
  parameters: readonly Variable[],
  weights: ReadonlyMap<string, Value> | undefined,
): ParameterGradient[] {
  const places = parameters.map(({ path, value }) => weights?.get(path) ?? value);
  const found = gradients(ops, loss, places);
  return parameters.flatMap((parameter, index) => {
    const gradient = found[index];
    return gradient ? [{ parameter, gradient }] : [];
  });
}

function slotPath(parameter: Variable, name: string): string {
  return `optimizer.${name}.${parameter.path}`;
}

function slotLike({ shape, dtype }: Variable, initial: number): VariableDeclaration {
  const fill: Initializer = (lengths) => new Float64Array(lengths.reduce((a, b) => a * b, 1)).fill(initial);
  return { shape, dtype, role: "slot", initial: fill };
}

function finish(
  ops: Ops,
  inputs: TrainStep["inputs"],
  metrics: LossAndMetrics,
  variables: StepVariables,
): Omit<TrainStep, "learningRate" | "dtype"> {
  const { graph } = ops.writer;
  const top = ops.at("");
  const output = (value: Value, name: string): void => {
    // An output of its own: the value may be an input, or come out twice.
    const named = top.identity(value);
    named.name = name;
    graph.outputs.push(named);
  };
  const names = ["loss", ...Object.keys(metrics).filter((name) => name !== "loss")];
  for (const name of names) output(metrics[name]!, name);
  const all = variables.all.map((variable): StepVariable => {
    const { path, value: _, ...declaration } = variable;
    const next = `next.${path}`;
    output(variables.nextOf(variable), next);
    return { ...declaration, path, next };
  });
  return { program: new Program(graph, ops.writer.opsets), inputs, variables: all, metrics: names };
}
