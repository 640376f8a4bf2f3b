/** What `inspect` says about a model, as plain data: the contract of its `--json`. */
import { ModicumError } from "../errors.ts";
import { type ModelFile, modelSizeBytes } from "../onnx/index.ts";
import { type CountMacsOptions, countMacs, findOperator, type MacCounts } from "../ops/index.ts";
import { findLayers, isQuantized, type Layer, prepareProgram } from "../prepare/index.ts";
import { type Constant, constantSize, type Graph, type Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { byteLength, type DType } from "../tensor/index.ts";

/** One input or output. Axis lengths are numbers, names, or null when unknown; the shape is null when the rank is. */
export interface ValueSummary {
  readonly name: string;
  readonly dtype: DType | null;
  readonly shape: readonly (number | string | null)[] | null;
}

/** One layer with weights. */
export interface LayerSummary {
  readonly name: string;
  readonly operator: string;
  readonly kind: string;
  readonly weightShape: readonly (number | string | null)[];
  /** 0 when the weights are computed. */
  readonly parameters: number;
  /** Multiply-accumulates per sample; null when shapes are unknown. */
  readonly macs: number | null;
  readonly quantizable: boolean;
  /** Why it would stay in float; null when it would be quantized. */
  readonly reason: string | null;
}

/** A whole model. */
export interface ModelSummary {
  readonly path: string;
  /** Everything that belongs to the model: the file and its external data. */
  readonly sizeBytes: number;
  readonly externalFiles: readonly { readonly location: string; readonly sizeBytes: number }[];
  readonly irVersion: number;
  /** Operator set versions by domain; ONNX's own is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: { readonly name: string; readonly version: string };
  readonly inputs: readonly ValueSummary[];
  readonly outputs: readonly ValueSummary[];
  /** Nodes by operator, sub-graphs included, most frequent first. Other domains stand before the name: `com.microsoft.Gelu`. */
  readonly operators: readonly { readonly operator: string; readonly count: number }[];
  readonly functions: readonly string[];
  /** Numbers in constants of float and quantized types; index and shape constants (int64, bool, strings) do not count. */
  readonly parameters: number;
  /** Multiply-accumulates per sample; null when shapes are unknown. */
  readonly macs: number | null;
  /** Bytes of all constants by element type. */
  readonly weightBytes: Readonly<Partial<Record<DType, number>>>;
  /** Whether the model holds quantized weights or computes with quantized numbers already. */
  readonly isQuantized: boolean;
  readonly layers: readonly LayerSummary[];
  /** What could not be found out, and why. */
  readonly remarks: readonly string[];
}

/** Where the model comes from, and what lengths its free axes take for counting. */
export interface SummarizeOptions {
  readonly path: string;
  readonly file: ModelFile;
  /** Computes constant parts. */
  readonly runtime: Runtime;
  /** Input shapes by name, for counting; by default the batch alone is taken to be 1. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/** Summarizes a model; its layers are those of the prepared model, as `quantize` sees them. The program is not changed. */
export async function summarizeModel(program: Program, options: SummarizeOptions): Promise<ModelSummary> {
  const { path, file, runtime, inputShapes } = options;
  const remarks: string[] = [];
  const counting = inputShapes ? { inputShapes } : {};
  const prepared = await prepareIfPossible(program, runtime, remarks);
  const macs = tryCountMacs(program, counting, remarks);
  const layerMacs = macs ? tryCountMacs(prepared, counting, []) : undefined;
  const unknown = unknownOperators(program);
  if (unknown.length > 0) remarks.push(`Operators that stay as they are, their cost unknown: ${unknown.join(", ")}.`);
  const constants = constantsOf(program.graph);
  return {
    path,
    sizeBytes: modelSizeBytes(file),
    externalFiles: file.external.map(({ location, sizeBytes }) => ({ location, sizeBytes })),
    irVersion: program.irVersion,
    opsets: Object.fromEntries([...program.opsets].map(([domain, version]) => [domain || "ai.onnx", version])),
    producer: { name: program.producerName, version: program.producerVersion },
    inputs: program.graph.inputs.filter((value) => !value.constant).map(summarizeValue),
    outputs: program.graph.outputs.map(summarizeValue),
    operators: countOperators(program),
    functions: program.functions.map(({ domain, name }) => qualified(name, domain)),
    parameters: constants.filter(isParameter).reduce((sum, constant) => sum + constantSize(constant), 0),
    macs: macs?.complete ? macs.total : null,
    weightBytes: bytesByType(constants),
    isQuantized: isQuantized(program),
    layers: findLayers(prepared).map((layer) => summarizeLayer(layer, layerMacs)),
    remarks,
  };
}

async function prepareIfPossible(program: Program, runtime: Runtime, remarks: string[]): Promise<Program> {
  try {
    return (await prepareProgram(program, { runtime })).program;
  } catch (error) {
    if (!(error instanceof ModicumError)) throw error;
    remarks.push(`The model cannot be prepared for quantization: ${error.message}`);
    return program;
  }
}

function tryCountMacs(program: Program, options: CountMacsOptions, remarks: string[]): MacCounts | undefined {
  try {
    return countMacs(program, options);
  } catch (error) {
    // Shapes the user stated wrongly are the user's to put right; those of the file are a finding.
    if (!(error instanceof ModicumError) || options.inputShapes) throw error;
    remarks.push(`Shapes cannot be inferred: ${error.message}`);
    return undefined;
  }
}

function unknownOperators(program: Program): string[] {
  const defined = new Set(program.functions.map(({ domain, name }) => qualified(name, domain)));
  const unknown = [...program.allNodes()]
    .filter(({ operator, domain }) => !findOperator(operator, domain))
    .map(({ operator, domain }) => qualified(operator, domain));
  return [...new Set(unknown)].filter((name) => !defined.has(name));
}

function qualified(operator: string, domain: string): string {
  return domain ? `${domain}.${operator}` : operator;
}

function summarizeValue(value: Value): ValueSummary {
  return { name: value.name, dtype: value.dtype ?? null, shape: value.shape ?? null };
}

function summarizeLayer(layer: Layer, macs: MacCounts | undefined): LayerSummary {
  const weightShape = layer.weight.constant?.shape ?? layer.weight.shape ?? [];
  return {
    name: layer.node.name || (layer.node.outputs[0]?.name ?? ""),
    operator: layer.node.operator,
    kind: layer.kind,
    weightShape,
    parameters: layer.weight.constant ? constantSize(layer.weight.constant) : 0,
    macs: macs?.byNode.get(layer.node) ?? null,
    quantizable: layer.reason === undefined,
    reason: layer.reason ?? null,
  };
}

function countOperators(program: Program): { operator: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { domain, operator } of program.allNodes()) {
    const name = qualified(operator, domain);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([operator, count]) => ({ operator, count }))
    .sort((a, b) => b.count - a.count || a.operator.localeCompare(b.operator));
}

/** Every constant in use: initializers, those of sub-graphs, and values of Constant nodes; each once. */
function constantsOf(graph: Graph): Constant[] {
  const constants = new Set<Constant>();
  const visit = (inner: Graph): void => {
    for (const value of [...inner.initializers, ...inner.nodes.flatMap((node) => node.inputs)]) {
      if (value?.constant) constants.add(value.constant);
    }
    for (const node of inner.nodes) {
      for (const attribute of node.attributes.values()) if (attribute.kind === "tensor") constants.add(attribute.value);
      for (const subgraph of node.subgraphs) visit(subgraph);
    }
  };
  visit(graph);
  return [...constants];
}

function isParameter({ dtype }: Constant): boolean {
  return dtype !== "int64" && dtype !== "bool" && dtype !== "string";
}

function bytesByType(constants: readonly Constant[]): Partial<Record<DType, number>> {
  const bytes: Partial<Record<DType, number>> = {};
  for (const constant of constants) {
    const { dtype } = constant;
    bytes[dtype] = (bytes[dtype] ?? 0) + byteLength(dtype, constantSize(constant));
  }
  return bytes;
}
