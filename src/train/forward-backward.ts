/** Loss and gradients of a batch: all at once, or in chunks whose gradients are averaged. */
import {
  type ObserveRounding,
  type Ops,
  type ParameterGradient,
  type Precision,
  type PrecisionContext,
  type PrecisionReport,
  Scope,
  type Variable,
  type VariableSource,
} from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { gradients } from "../gradients/index.ts";
import type { Value } from "../program/index.ts";
import { int64 } from "../tensor/index.ts";
import { type CallCounter, seededValues } from "./seeded-values.ts";
import type { StepVariables } from "./step-variables.ts";

/** What a model says about its inputs: the loss to minimize, and anything else worth knowing in each step. */
export interface LossAndMetrics {
  /** Scalar. */
  readonly loss: Value;
  readonly [metric: string]: Value;
}

/** Writes the model and its loss into the scope. */
export type LossFunction = (inputs: Readonly<Record<string, Value>>, scope: Scope) => Value | LossAndMetrics;

/** What one evaluation of loss and gradients is made of. */
export interface Batch {
  readonly ops: Ops;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly loss: LossFunction;
  readonly variables: StepVariables;
  readonly seed: Value;
  readonly step: Value;
  readonly calls: CallCounter;
  readonly dtype: "float32" | "float64";
  readonly precision?: Precision | undefined;
  /** Makes further metrics of what the precision rounds. */
  readonly observeRounding?: ObserveRounding | undefined;
  /** Values in place of parameters, by path. */
  readonly weights?: ReadonlyMap<string, Value> | undefined;
}

/** Loss, other metrics, and the loss's gradient with respect to every parameter it depends on. */
export interface Evaluated {
  readonly metrics: LossAndMetrics;
  readonly gradients: readonly ParameterGradient[];
  /** What the precision made of the network; absent without one. */
  readonly precision?: PrecisionReport | undefined;
}

/** Evaluates the whole batch at once. */
export function evaluateBatch(batch: Batch): Evaluated {
  const { ops, variables, weights, inputs } = batch;
  const source: VariableSource = {
    declare: (path, declaration) => weights?.get(path) ?? variables.declare(path, declaration),
    update: (path, next) => variables.update(path, next),
  };
  const { metrics, observed, precision } = forward(batch, ops, inputs, source, batch.step);
  const found = gradientsOf(ops, metrics.loss, variables.parameters, weights);
  return { metrics: { ...metrics, ...observed }, gradients: found, precision };
}

/**
 * Evaluates a batch in `chunks` equal parts, one after the other in an ONNX Loop: memory is that of one part. Gradients and
 * metrics are means over the parts; statistics are updated by every part in its turn, and batch statistics are those of the
 * part (ghost batch normalization, arXiv:1705.08741, section 4).
 *
 * @throws OptionError if an input's first axis is not a multiple of the number of chunks.
 */
export function evaluateInChunks(batch: Batch, chunks: number): Evaluated {
  const { ops, variables, weights, step } = batch;
  const body = ops.inside("chunk");
  const chunk = body.input("chunk", "int64", []);
  const going = body.input("going", "bool", []);
  const parts = Object.entries(batch.inputs).map(([name, value]) => {
    const [length, ...rest] = ops.shapeOf(value);
    if (length === undefined || length % chunks !== 0) {
      throw new OptionError(
        `trainStep: the first axis of every input must be a multiple of chunks (${chunks}), got "${name}" of length ${length}.`,
      );
    }
    return [name, body.gather(ops.reshape(value, [chunks, length / chunks, ...rest]), chunk, 0)] as const;
  });
  const carried = new CarriedVariables(body, variables, weights);
  const place = body.add(body.mul(step, chunks), chunk);
  const network = forward(batch, body, Object.fromEntries(parts), carried, place);
  const found = gradientsOf(body, network.metrics.loss, variables.parameters, weights);
  const metrics: LossAndMetrics = { ...network.metrics, ...network.observed };
  const sums = found.map(({ parameter: { path, dtype, shape }, gradient }) => {
    const before = body.input(`sum.${path}`, dtype, shape);
    return { before, start: ops.full(shape, 0, dtype), after: body.add(before, body.div(gradient, chunks)) };
  });
  const names = Object.keys(metrics);
  const { graph } = body.writer;
  graph.inputs = [chunk, going, ...carried.all.map(({ inside }) => inside), ...sums.map(({ before }) => before)];
  const ends = [
    ...carried.all.map(({ path, inside }) => carried.nextOf(path) ?? inside),
    ...sums.map(({ after }) => after),
  ];
  graph.outputs = [going, ...ends, ...names.map((name) => metrics[name]!)].map((value) => body.identity(value));
  const starts = [...carried.all.map(({ outside }) => outside), ...sums.map(({ start }) => start)];
  const count = ops.constant(int64([chunks], []));
  const results = ops.emitAll("Loop", [count, undefined, ...starts], starts.length + names.length, { body: graph });
  carried.all.forEach(({ path }, index) => {
    if (carried.nextOf(path)) variables.update(path, results[index]!);
  });
  const traces = results.slice(starts.length);
  return {
    metrics: Object.fromEntries(
      names.map((name, index) => [name, ops.reduceMean(traces[index]!, { axes: [0], keepDims: false })]),
    ) as unknown as LossAndMetrics,
    gradients: found.map(({ parameter }, index) => ({ parameter, gradient: results[carried.all.length + index]! })),
    precision: network.precision,
  };
}

/** A network that was written. */
interface Forward {
  readonly metrics: LossAndMetrics;
  /** Metrics of what is rounded; those of gradients come when it is differentiated. */
  readonly observed: Readonly<Record<string, Value>>;
  readonly precision: PrecisionReport | undefined;
}

function forward(
  { loss, seed, calls, dtype, precision, observeRounding, variables: all, weights }: Batch,
  ops: Ops,
  inputs: Readonly<Record<string, Value>>,
  variables: VariableSource,
  place: Value,
): Forward {
  const random = seededValues(ops, { seed, place, calls });
  const from = ops.writer.graph.nodes.length;
  const result = loss(inputs, new Scope(ops, { variables, training: true, dtype, random }));
  const parameters = new Set(
    all.all.flatMap(({ role, path, value }) => (role === "parameter" ? [weights?.get(path) ?? value] : [])),
  );
  const isParameter = (value: Value): boolean => parameters.has(value);
  const observed: Record<string, Value> = {};
  const onRounded: PrecisionContext["onRounded"] =
    observeRounding && ((at, tensor) => void Object.assign(observed, observeRounding(at, tensor)));
  const report = precision?.apply({ ops, from, variables, isParameter, training: true, random, onRounded });
  return { metrics: "loss" in result ? result : { loss: result as Value }, observed, precision: report };
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

/** Variables inside the loop: parameters are those outside, what layers keep goes round. */
class CarriedVariables implements VariableSource {
  readonly #body: Ops;
  readonly #variables: StepVariables;
  readonly #weights: ReadonlyMap<string, Value> | undefined;
  readonly #carried = new Map<string, { path: string; outside: Value; inside: Value }>();
  readonly #next = new Map<string, Value>();

  constructor(body: Ops, variables: StepVariables, weights: ReadonlyMap<string, Value> | undefined) {
    this.#body = body;
    this.#variables = variables;
    this.#weights = weights;
  }

  get all(): readonly { readonly path: string; readonly outside: Value; readonly inside: Value }[] {
    return [...this.#carried.values()];
  }

  declare(path: string, declaration: Parameters<VariableSource["declare"]>[1]): Value {
    const outside = this.#weights?.get(path) ?? this.#variables.declare(path, declaration);
    if (declaration.role === "parameter") return outside;
    const known = this.#carried.get(path);
    if (known) return known.inside;
    const inside = this.#body.input(path, declaration.dtype, declaration.shape);
    this.#carried.set(path, { path, outside, inside });
    return inside;
  }

  update(path: string, next: Value): void {
    this.#next.set(path, next);
  }

  nextOf(path: string): Value | undefined {
    return this.#next.get(path);
  }
}
