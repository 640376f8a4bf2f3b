/** Training steps: forward, backward, optimizer and statistics as one program. */
import {
  type Initializer,
  type ObserveRounding,
  Ops,
  type Optimizer,
  type OptimizerContext,
  type Precision,
  type PrecisionReport,
  type Schedule,
  type Variable,
  type VariableDeclaration,
} from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { Program, type Value } from "../program/index.ts";
import { type DType, zeros } from "../tensor/index.ts";
import {
  type Evaluated,
  evaluateBatch,
  evaluateInChunks,
  type LossAndMetrics,
  type LossFunction,
} from "./forward-backward.ts";
import { seededValues } from "./seeded-values.ts";
import { StepVariables } from "./step-variables.ts";

/** Shape and element type of what is fed in each step. */
export interface InputSpecification {
  readonly shape: readonly number[];
  /** Default "float32". */
  readonly dtype?: DType;
}

/** What a training step is made of. */
export interface TrainStepOptions {
  readonly inputs: Readonly<Record<string, InputSpecification>>;
  readonly loss: LossFunction;
  readonly optimizer: Optimizer;
  /**
   * Equal parts into which each batch is cut; they are computed one after the other and their gradients averaged, so that
   * memory is that of one part. Batch statistics are those of the part. Default 1.
   */
  readonly chunks?: number;
  /** Element type of parameters and arithmetic. Default "float32". */
  readonly dtype?: "float32" | "float64";
  /** In how many bits products are computed, see `int8`. Default: in `dtype`. */
  readonly precision?: Precision | undefined;
  /** Makes further metrics of what the precision rounds, as `quantizationAngles` does; with chunks their means. */
  readonly observeRounding?: ObserveRounding | undefined;
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
  /** Which products the precision quantized; absent without one. */
  readonly precision?: PrecisionReport | undefined;
  readonly builder: StepBuilder;
}

/** How a step is built again: for other shapes, such as a smaller last batch, or to measure something else. */
export interface StepBuilder {
  /** The program that is built: if the step has another, that was changed afterwards and cannot be built anew. */
  readonly program: Program;
  /**
   * Builds the step for inputs of other shapes, with another optimizer, or with a look at what is rounded.
   *
   * @throws ShapeError naming the layer where the model does not fit the shapes.
   */
  build(
    shapes: Readonly<Record<string, readonly number[]>>,
    optimizer?: Optimizer,
    observeRounding?: ObserveRounding,
  ): TrainStep;
  /** Which parameters the step's own optimizer trains; absent where it trains all. */
  readonly trains?: ((path: string) => boolean) | undefined;
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
  const { dtype = "float32", optimizer, chunks = 1 } = options;
  assertChunks(chunks);
  const inputs = specify(options.inputs);
  const reserved = [LEARNING_RATE, STEP, SEED].find((name) => name in inputs);
  if (reserved) throw new OptionError(`trainStep: inputs must not be called "${reserved}", which every step has.`);
  const ops = new Ops();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, ops.input(name, input.dtype, input.shape)]),
  );
  const learningRate = ops.input(LEARNING_RATE, dtype, []);
  const variables = new StepVariables(ops, optimizer.trains);
  const seed = variables.declare(SEED, { shape: [], dtype: "int64", role: "counter", initial: zeros("int64", []) });
  const step = variables.declare(STEP, { shape: [], dtype: "int64", role: "counter", initial: zeros("int64", []) });
  const calls = { next: 0 };
  const evaluate = (weights?: ReadonlyMap<string, Value>): Evaluated => {
    const { loss, precision, observeRounding } = options;
    const batch = {
      ...{ ops, inputs: values, loss, variables, seed, step, calls, dtype, weights, precision },
      // Those of the first evaluation: an optimizer may ask for others, at other weights.
      observeRounding: weights ? undefined : observeRounding,
    };
    return chunks === 1 ? evaluateBatch(batch) : evaluateInChunks(batch, chunks);
  };
  const first = evaluate();
  assertFreezes(optimizer, variables);
  const added: Record<string, Value> = {};
  const context: OptimizerContext = {
    ops: ops.at("optimizer"),
    learningRate,
    step: ops.cast(step, dtype),
    random: seededValues(ops.at("optimizer"), { seed, place: step, calls }),
    parameters: variables.parameters,
    gradients: (weights) => (weights ? evaluate(weights) : first).gradients,
    slot: (parameter, name, initial = 0) => variables.declare(slotPath(parameter, name), slotLike(parameter, initial)),
    updateSlot: (parameter, name, next) => variables.update(slotPath(parameter, name), next),
    update: (parameter, next) => variables.update(parameter.path, next),
    statistics: () =>
      variables.all
        .filter(({ role }) => role === "statistic")
        .map((variable) => ({ variable, next: variables.nextOf(variable) })),
    metric: (name, value) => {
      if (name in first.metrics) {
        throw new OptionError(
          `trainStep: metrics of the loss function must not be called as the optimizer's, got "${name}". Call it something else.`,
        );
      }
      added[name] = value;
    },
  };
  optimizer.apply(context);
  variables.update(STEP, ops.add(step, 1));
  const parts = finish(ops, inputs, { ...first.metrics, ...added }, variables);
  const build: StepBuilder["build"] = (shapes, other = optimizer, observeRounding = options.observeRounding) =>
    trainStep({ ...options, inputs: mapShapes(inputs, shapes), optimizer: other, observeRounding });
  return {
    ...parts,
    learningRate: optimizer.learningRate,
    dtype,
    precision: first.precision,
    builder: { program: parts.program, build, trains: optimizer.trains },
  };
}

/** Inputs of other shapes; those that are absent stay as they are. */
export function mapShapes(
  inputs: TrainStep["inputs"],
  shapes: Readonly<Record<string, readonly number[]>>,
): TrainStep["inputs"] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, { dtype, shape: shapes[name] ?? shape }]),
  );
}

/** Inputs with their defaults filled in. */
export function specify(inputs: TrainStepOptions["inputs"]): TrainStep["inputs"] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => [name, { shape, dtype }]),
  );
}

/** @throws OptionError if the optimizer leaves parameters out, but none of this model: it was meant for other paths. */
function assertFreezes({ trains }: Optimizer, variables: StepVariables): void {
  const paths = variables.all.filter(({ role }) => role === "parameter").map(({ path }) => path);
  if (!trains || paths.some((path) => !trains(path))) return;
  throw new OptionError(
    `trainStep: the optimizer's frozen groups must match a parameter, got none. Parameters: ${paths.join(", ")}.`,
  );
}

function assertChunks(chunks: number): void {
  if (Number.isInteger(chunks) && chunks >= 1) return;
  throw new OptionError(`trainStep: chunks must be a whole number of at least 1, got ${chunks}.`);
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
): Omit<TrainStep, "learningRate" | "dtype" | "precision" | "builder"> {
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
