/** Cases of operators: small programs with the numbers to run them on. */
import {
  constantOf,
  type Graph,
  Node,
  type NodeOptions,
  Program,
  Graph as ProgramGraph,
  Value,
} from "../../src/program/index.ts";
import { arrayOf, type DType, elementCount, Tensor } from "../../src/tensor/index.ts";

/** An operand: numbers that the program takes as an input, or holds as a constant. */
export interface Operand {
  readonly tensor: Tensor;
  readonly constant: boolean;
}

/** A small program that shows one operator, or a few that only make sense together. */
export interface OperatorCase {
  readonly title: string;
  /** Operators shown, as `domain:name`. */
  readonly covers: readonly string[];
  readonly program: Program;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** What the outputs are, such as "float32 [2, 3]", where ONNX Runtime has no kernel to ask. */
  readonly expected?: readonly string[];
  /** Multiply-accumulates, counted by hand. */
  readonly macs?: number;
  /** Set where lengths depend on numbers that inference does not follow. */
  readonly partial?: boolean;
}

/** How a case deviates from one standard operator with one output. */
export interface CaseOptions extends Pick<OperatorCase, "expected" | "macs" | "partial"> {
  readonly title?: string;
  readonly domain?: string;
  readonly attributes?: NodeOptions["attributes"];
  /** Number of outputs; default 1. */
  readonly outputs?: number;
  /** Version of ONNX's operator set; default 21. */
  readonly opset?: number;
}

/** A case of one node. */
export function single(
  operator: string,
  operands: readonly (Operand | undefined)[],
  options: CaseOptions = {},
): OperatorCase {
  const { domain = "", attributes = {}, outputs = 1 } = options;
  const title = options.title ?? (domain ? `${operator} (${domain})` : operator);
  return chain(title, [operator], operands, options, (inputs) => [
    new Node(operator, inputs, outputValues(outputs), { domain, attributes }),
  ]);
}

/** A case of several nodes; the outputs are those of the last. */
export function chain(
  title: string,
  covers: readonly string[],
  operands: readonly (Operand | undefined)[],
  options: CaseOptions,
  build: (inputs: readonly (Value | undefined)[]) => readonly Node[],
): OperatorCase {
  const { domain = "", opset = 21, expected, macs, partial } = options;
  const values = operands.map((operand, index) => operand && operandValue(operand, `input_${index}`));
  const nodes = build(values);
  const graph = new ProgramGraph("case", {
    inputs: values.filter((value) => value !== undefined && !value.constant) as Value[],
    outputs: nodes.at(-1)!.outputs.filter((output) => output !== undefined),
    nodes: [...nodes],
  });
  const program = new Program(graph, [
    ["", opset],
    ["com.microsoft", 1],
    ["ai.onnx.ml", 4],
  ]);
  const feeds = Object.fromEntries(
    operands.flatMap((operand, index) => (operand && !operand.constant ? [[`input_${index}`, operand.tensor]] : [])),
  );
  const names = covers.map((name) => `${domain}:${name}`);
  return {
    title,
    covers: names,
    program,
    feeds,
    ...(expected && { expected }),
    ...(macs !== undefined && { macs }),
    ...(partial && { partial }),
  };
}

/** Makes `count` values for a node to produce. */
export function outputValues(count: number): Value[] {
  return Array.from({ length: count }, (_, index) => new Value(`output_${index}`));
}

/** A sub-graph of one node over values that are its inputs. */
export function subgraph(inputs: readonly Value[], nodes: readonly Node[], outputs: readonly Value[]): Graph {
  return new ProgramGraph("body", { inputs: [...inputs], nodes: [...nodes], outputs: [...outputs] });
}

function operandValue({ tensor, constant }: Operand, name: string): Value {
  const value = new Value(name, tensor.dtype, tensor.shape);
  if (constant) value.constant = constantOf(tensor);
  return value;
}

/** An input of small positive numbers: 1, 1.125, ... for floats; 0 and 1 for integers and booleans. */
export function input(shape: readonly number[], dtype: DType = "float32"): Operand {
  const count = elementCount(shape);
  if (dtype === "string")
    return { tensor: new Tensor(dtype, shape, new Array<string>(count).fill("a b")), constant: false };
  const data = new (arrayOf(dtype))(count);
  for (let i = 0; i < count; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(i % 2);
    else data[i] = dtype.startsWith("float") ? 1 + (i % 7) / 8 : i % 2;
  }
  return { tensor: new Tensor(dtype, shape, data), constant: false };
}

/** A constant; int64 by default, a vector by default. */
export function constant(
  values: readonly number[],
  dtype: DType = "int64",
  shape: readonly number[] = [values.length],
): Operand {
  const data =
    dtype === "int64" ? BigInt64Array.from(values, BigInt) : new (arrayOf(dtype) as Float32ArrayConstructor)(values);
  return { tensor: new Tensor(dtype, shape, data), constant: true };
}

/** A constant scalar. */
export function scalar(value: number, dtype: DType = "int64"): Operand {
  return constant([value], dtype, []);
}
