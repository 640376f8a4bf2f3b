/** Evaluation: a network as it is in use, as a program whose variables are fed, to measure it while it is trained. */
import { Ops, type Precision, Scope, type Variable } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { loweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { cloneProgram, Program, type Value } from "../program/index.ts";
import type { Runtime, Session } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { assertBatch } from "./check-batch.ts";
import { SessionCache, shapesKey } from "./session-cache.ts";
import { StepVariables } from "./step-variables.ts";
import { type InputSpecification, mapShapes, specify, type TrainStep } from "./train-step.ts";

/** What an evaluation is made of. */
export interface EvaluationOptions {
  readonly inputs: Readonly<Record<string, InputSpecification>>;
  /** Writes the network in the scope it is trained in, and returns what is to be known of a batch, by name. */
  readonly outputs: (inputs: Readonly<Record<string, Value>>, scope: Scope) => Readonly<Record<string, Value>>;
  /** Element type of parameters and arithmetic. Default "float32". */
  readonly dtype?: "float32" | "float64";
  /** The precision that the network is trained in. Default: `dtype`. */
  readonly precision?: Precision | undefined;
  /** Paths of tapped values that are outputs too: results of layers of `nn.sequential`, and what `scope.tap` was given. */
  readonly taps?: readonly string[];
}

/** A variable of the network, without what a training step keeps beside it. */
export type EvaluationVariable = Omit<Variable, "value" | "initial">;

/** A network as it is in use: a program from a batch and variables to outputs. */
export interface Evaluation {
  readonly program: Program;
  readonly inputs: TrainStep["inputs"];
  /** Names of the outputs; taps are not among them. */
  readonly outputs: readonly string[];
  /** Parameters and statistics that the network reads. */
  readonly variables: readonly EvaluationVariable[];
  /** Paths of all values that can be had as taps. */
  readonly tappable: readonly string[];
  /** Taps that are outputs. */
  readonly taps: readonly string[];
  /** Builds the same for inputs of other shapes, or with other taps. Throws what `evaluation` throws. */
  build(shapes: Readonly<Record<string, readonly number[]>>, taps?: readonly string[]): Evaluation;
}

/** Names of the program's outputs. No path has a colon: outputs may be called as inputs and variables are. */
const outputName = (name: string): string => `output:${name}`;
const tapName = (path: string): string => `tap:${path}`;

/**
 * Builds a program of the network as it is in use (running statistics, no dropout) whose variables are inputs: weights may
 * change from batch to batch, and nothing is compiled anew.
 *
 * @throws ShapeError, DTypeError naming the layer where the network does not fit the inputs.
 * @throws OptionError if a tap is not known; the message lists those that are.
 * @example
 * const measured = evaluation({
 *   inputs: { x: { shape: [256, 784] }, label: { shape: [256], dtype: "int64" } },
 *   outputs: ({ x, label }, scope) => ({ accuracy: nn.accuracy(model(x!, scope), label!, scope) }),
 * });
 */
export function evaluation(options: EvaluationOptions): Evaluation {
  const { dtype = "float32", taps = [] } = options;
  const inputs = specify(options.inputs);
  const ops = new Ops();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, ops.input(name, input.dtype, input.shape)]),
  );
  const variables = new StepVariables(ops);
  const tapped = new Map<string, Value>();
  const onTap = (path: string, value: Value): void => {
    tapped.set(path, value);
  };
  const outputs = options.outputs(values, new Scope(ops, { variables, training: false, dtype, onTap }));
  const parameters = new Set(variables.all.flatMap(({ role, value }) => (role === "parameter" ? [value] : [])));
  const isParameter = (value: Value): boolean => parameters.has(value);
  options.precision?.apply({ ops, from: 0, variables, isParameter, training: false });
  const output = (name: string, value: Value): Value => {
    // An output of its own: the value may be an input, or come out twice.
    const named = ops.at("").identity(value);
    named.name = name;
    return named;
  };
  ops.writer.graph.outputs = [
    ...Object.entries(outputs).map(([name, value]) => output(outputName(name), value)),
    ...taps.map((path) => output(tapName(path), tapAt(tapped, path))),
  ];
  return {
    program: new Program(ops.writer.graph, ops.writer.opsets),
    inputs,
    outputs: Object.keys(outputs),
    variables: variables.all.map(({ path, shape, dtype: type, role }) => ({ path, shape, dtype: type, role })),
    tappable: [...tapped.keys()],
    taps,
    build: (shapes, others = taps) => evaluation({ ...options, inputs: mapShapes(inputs, shapes), taps: others }),
  };
}

function tapAt(tapped: ReadonlyMap<string, Value>, path: string): Value {
  const value = tapped.get(path);
  if (value) return value;
  throw new OptionError(
    `evaluation: taps must be paths of tapped values, got "${path}". Known: ${[...tapped.keys()].join(", ") || "none"}.`,
  );
}

/** How an evaluation is compiled. */
export interface CompileEvaluationOptions {
  readonly runtime: Runtime;
}

/** An evaluation, ready to run. */
export interface CompiledEvaluation {
  /**
   * Returns the outputs for a batch, by name, and the taps by path. A batch of another shape than the evaluation was built for
   * compiles it for that shape; the last four shapes are kept.
   *
   * @param variables Those of a training; what the network does not read is left out.
   * @throws OptionError, DTypeError, ShapeError if the batch or the variables are not the evaluation's.
   */
  run(
    batch: Readonly<Record<string, Tensor>>,
    variables: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  /** Frees the sessions. Always call it. */
  release(): Promise<void>;
}

/**
 * Compiles an evaluation: lowers it for the runtime's device, as steps are, and creates the session.
 *
 * @throws RuntimeFailure if ONNX Runtime refuses the program; the message names the layer at fault.
 * @example
 * const compiled = await compileEvaluation(measured, { runtime });
 * const { accuracy } = await compiled.run({ x, label }, await training.variables());
 */
export async function compileEvaluation(
  built: Evaluation,
  { runtime }: CompileEvaluationOptions,
): Promise<CompiledEvaluation> {
  const target = await loweringTarget(runtime);
  const cache = new SessionCache<{ readonly session: Session }>();
  const sessionFor = (batch: Readonly<Record<string, { readonly shape: readonly number[] }>>) => {
    const key = shapesKey(built.inputs, batch);
    return cache.for(key, async () => {
      const isSame = key === shapesKey(built.inputs, built.inputs);
      const shapes = Object.fromEntries(Object.keys(built.inputs).map((name) => [name, batch[name]!.shape]));
      const { program } = cloneProgram((isSame ? built : built.build(shapes)).program);
      lowerProgram(program, target);
      return { session: await runtime.createSession(writeModel(program)) };
    });
  };
  // Now, so that what is wrong with the program is said here.
  await sessionFor(built.inputs);
  return {
    async run(batch, variables) {
      assertBatch(batch, built.inputs, "evaluation");
      const read = readVariables(built, variables);
      const { session } = await sessionFor(batch);
      const results = await session.run({ ...batch, ...read });
      const taps = built.taps.map((path) => [path, results[tapName(path)]!] as const);
      return Object.fromEntries([...built.outputs.map((name) => [name, results[outputName(name)]!] as const), ...taps]);
    },
    release: () => cache.release(),
  };
}

/** The variables that the network reads. @throws OptionError naming the first that is missing or does not fit. */
function readVariables(
  { variables }: Evaluation,
  given: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    variables.map(({ path, dtype, shape }) => {
      const tensor = given[path];
      if (tensor?.dtype === dtype && tensor.shape.join() === shape.join()) return [path, tensor];
      const came = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "none";
      throw new OptionError(
        `evaluation: variables must hold "${path}" as ${dtype} [${shape.join(", ")}], got ${came}. Is it another network's?`,
      );
    }),
  );
}
