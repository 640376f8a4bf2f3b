/** Models made elsewhere as layers: any ONNX file whose operators have gradients can be trained further. */
import type { Layer, Scope } from "../build/index.ts";
import { ModelFormatError, OptionError, UnsupportedError } from "../errors.ts";
import { findGradientRule } from "../gradients/index.ts";
import { type BatchNormOptions, batchNorm } from "../nn/index.ts";
import { inlineFunctions, readModel, upgradeOpset } from "../onnx/index.ts";
import { findOperator, inferShapes } from "../ops/index.ts";
import { resolveConstants } from "../prepare/index.ts";
import { cloneProgram, DEFAULT_OPSET, type Node, Program, removeDeadNodes, type Value } from "../program/index.ts";
import { isFloat } from "../tensor/index.ts";
import { weightsOf } from "./weight-inputs.ts";

/** Which part of an imported model a layer is, and what of it is trained. */
export interface ImportedLayerOptions {
  /** Names of the values the layer gives; the first is its result, all are tapped. Default: the model's first output. */
  readonly output?: string;
  /** Whether the weight of this name is trained; the others stay constants. Default: all are. */
  readonly trainable?: (name: string) => boolean;
  /**
   * What batch normalizations with a trained weight become: layers that normalize by the batch while training, and start from
   * the file's statistics and epsilon; their variables are `<node>.weight`, `<node>.runningMean` and so on. Default: they stay
   * as they are, with the file's statistics.
   */
  readonly normalization?: BatchNormOptions;
}

/** A model read from an ONNX file, to be used as a layer. */
export interface ImportedModel {
  /** The model's program, at operator set 21 or newer. */
  readonly program: Program;
  /** Names of the constants that count as weights, in the order of their first use. */
  readonly weights: readonly string[];
  /**
   * Name of the value that the last layer with weights classifies: what a new head is put on. Undefined when no layer is
   * found.
   */
  readonly features: string | undefined;
  /** Operators without a gradient, with the nodes that use them: fine below what is trained, an error above it. */
  readonly withoutGradient: ReadonlyMap<string, readonly string[]>;
  /** Returns (part of) the model as a layer of one input. Weights become parameters under their names in the file. */
  layer(options?: ImportedLayerOptions): Layer;
  /** Returns (part of) the model as a function of several inputs by name. */
  function(options?: ImportedLayerOptions): (inputs: Readonly<Record<string, Value>>, scope: Scope) => Value;
}

/** Operators that a new head replaces: the last of them is the classifier. */
const LINEAR = new Set(["Conv", "Gemm", "MatMul"]);

/**
 * Reads an ONNX model as something to train: its operators become part of the program that is built, its weights become
 * parameters. The file's operator set is upgraded to 21 if it is older.
 *
 * @param model Bytes of an .onnx file, or a program that is not changed.
 * @throws ModelFormatError if the bytes are no ONNX model.
 * @throws UnsupportedError listing every operator that nobody knows, or that cannot be upgraded.
 * @example
 * const model = importOnnx(await readFile("mobilenet.onnx"));
 * const classifier = nn.sequential(model.layer({ output: model.features }), nn.globalAveragePool(), nn.linear(10));
 */
export function importOnnx(model: Uint8Array | Program): ImportedModel {
  const program = readyToBuild(model instanceof Program ? model : readModel(model));
  const weights = weightsOf(program);
  const withoutGradient = new Map<string, string[]>();
  for (const node of program.allNodes()) {
    if (findGradientRule(node.operator, node.domain)) continue;
    const operator = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
    withoutGradient.set(operator, [...(withoutGradient.get(operator) ?? []), node.label]);
  }
  const build = (options: ImportedLayerOptions = {}) => {
    const { output = program.graph.outputs[0]!.name, trainable = () => true, normalization } = options;
    assertValue(program, output);
    if (normalization?.deviation === "none") {
      throw new OptionError(
        'importOnnx: normalization.deviation must be one that divides, got "none": the file\'s weights would have no place.',
      );
    }
    const trained = new Set(weights.map(({ name }) => name).filter(trainable));
    return (inputs: Readonly<Record<string, Value>>, scope: Scope): Value =>
      replay(program, { inputs, scope, output, trained, normalization });
  };
  return {
    program,
    weights: weights.map(({ name }) => name),
    features: featuresOf(program, weights),
    withoutGradient,
    function: build,
    layer: (options) => {
      const apply = build(options);
      return (x, scope) => apply({ [soleInput(program)]: x }, scope);
    },
  };
}

function readyToBuild(model: Program): Program {
  const unknown = [...model.allNodes()].filter(
    ({ operator, domain }) => !findOperator(operator, domain) && !isFunction(model, operator, domain),
  );
  if (unknown.length > 0) {
    throw new UnsupportedError(
      `importOnnx: every operator must be known, got ${[...new Set(unknown.map(({ label }) => label))].join(", ")}.`,
    );
  }
  inferShapes(model);
  const upgraded = upgradeOpset(inlineFunctions(cloneProgram(model).program), DEFAULT_OPSET);
  resolveConstants(upgraded);
  removeDeadNodes(upgraded.graph);
  return upgraded;
}

function isFunction(program: Program, operator: string, domain: string): boolean {
  return program.functions.some((definition) => definition.name === operator && definition.domain === domain);
}

/** The value before the last linear operator that has weights. */
function featuresOf(program: Program, weights: readonly Value[]): string | undefined {
  const known = new Set(weights);
  const head = program.graph.nodes.findLast(
    (node) => LINEAR.has(node.operator) && node.inputs.some((input) => input && known.has(input)),
  );
  return head?.inputs.find((input) => input && !known.has(input))?.name;
}

function soleInput(program: Program): string {
  const names = program.graph.inputs.map(({ name }) => name);
  if (names.length === 1) return names[0]!;
  throw new OptionError(
    `importOnnx: a layer must have one input, got a model with ${names.join(", ")}. Use function() instead.`,
  );
}

function assertValue(program: Program, name: string): void {
  const names = program.graph.nodes.flatMap((node) => node.outputs.flatMap((output) => output?.name ?? []));
  if (names.includes(name)) return;
  throw new OptionError(
    `importOnnx: output must be a value of the model, got "${name}". The last are ${names.slice(-5).join(", ")}.`,
  );
}

interface Replay {
  readonly inputs: Readonly<Record<string, Value>>;
  readonly scope: Scope;
  readonly output: string;
  readonly trained: ReadonlySet<string>;
  readonly normalization: BatchNormOptions | undefined;
}

/** Writes the model's nodes, up to one value, into the program that is built. */
function replay(model: Program, { inputs, scope, output, trained, normalization }: Replay): Value {
  const { program } = cloneProgram(model);
  const { graph } = program;
  const nodes = [...graph.nodes];
  const result = nodes.flatMap((node) => node.outputs).find((value) => value?.name === output)!;
  graph.outputs = [result];
  removeDeadNodes(graph);
  const { writer } = scope.ops;
  writer.raiseOpset(program.opsets);
  const placed = new Map<Value, Value>();
  for (const input of graph.inputs) placed.set(input, fed(input, inputs, graph.nodes));
  const current = (value: Value): Value => {
    const known = placed.get(value);
    if (known) return known;
    if (!value.constant || !trained.has(value.name)) return value;
    const parameter = scope.parameter(value.name, value.constant.shape, value.constant.load());
    placed.set(value, parameter);
    return parameter;
  };
  for (const node of graph.nodes) {
    const norm = normalization && batchNormOf(node, trained, normalization);
    if (norm) {
      placed.set(node.output(), norm(current(node.input(0)), scope.child(layerName(node))));
      continue;
    }
    rename(node, scope.path);
    replaceInputs(node, current);
    for (const made of node.outputs) forgetShape(made);
    writer.append(node);
  }
  return scope.tap(output, placed.get(result) ?? result);
}

/** The layer that stands for a batch normalization with given statistics; undefined for other nodes, and where nothing learns. */
function batchNormOf(node: Node, trained: ReadonlySet<string>, options: BatchNormOptions): Layer | undefined {
  if (node.operator !== "BatchNormalization" || node.domain !== "" || node.int("training_mode", 0) === 1)
    return undefined;
  const parameters = node.inputs.slice(1).map((input) => input?.constant && input);
  const learns = parameters.slice(0, 2).some((value) => value && trained.has(value.name));
  if (!learns || parameters.some((value) => !value)) return undefined;
  const [weight, bias, mean, variance] = parameters.map((value) => value!.constant!.load());
  return batchNorm({
    epsilon: node.float("epsilon", 1e-5),
    ...options,
    start: { weight, bias, mean, variance } as Start,
  });
}

type Start = NonNullable<BatchNormOptions["start"]>;

/** The model's declared shapes are for other batches; they are inferred anew. */
function forgetShape(value: Value | undefined): void {
  if (value) value.shape = undefined;
}

function rename(node: Node, path: string): void {
  node.name = `${path ? `${path}.` : ""}${layerName(node)}/${node.operator}`;
}

function layerName(node: Node): string {
  const name = node.name.replace(/^\//, "") || node.outputs.find((value) => value)?.name || node.operator;
  return name.replaceAll("/", ".");
}

function replaceInputs(node: Node, current: (value: Value) => Value): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = current(input);
  });
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes) replaceInputs(inner, current);
    graph.outputs = graph.outputs.map(current);
  }
}

function fed(input: Value, inputs: Readonly<Record<string, Value>>, nodes: readonly Node[]): Value {
  const given = inputs[input.name];
  const isUsed = nodes.some((node) => node.inputs.includes(input));
  if (!given && isUsed) {
    throw new OptionError(`importOnnx: every input of the model must be given, got none for "${input.name}".`);
  }
  if (given && input.dtype && given.dtype !== input.dtype) {
    throw new ModelFormatError(
      `importOnnx: input "${input.name}" must be ${input.dtype}, got ${given.dtype}${isFloat(given.dtype) ? ". Use cast" : ""}.`,
    );
  }
  return given ?? input;
}
