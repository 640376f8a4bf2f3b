/** One of ONNX's operator cases: imported, its shapes inferred, run, and compared with the data that comes with it. */
import { fromBinary } from "@bufbuild/protobuf";
import { ModicumError } from "../../src/errors.ts";
import { TensorProtoSchema } from "../../src/onnx/generated/onnx_pb.ts";
import { readModel, writeModel } from "../../src/onnx/index.ts";
import { readConstant } from "../../src/onnx/read-constant.ts";
import { findOperator, inferShapes } from "../../src/ops/index.ts";
import { cloneProgram, type Program } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { type Tensor, toNumbers } from "../../src/tensor/index.ts";
import { describeValue, differsFrom } from "./shape-truth.ts";

/** The relative tolerance of ONNX's own backend tests, and what float32 sums of the output's magnitude leave at zeros. */
const RELATIVE = 1e-3;
const OF_LARGEST = 1e-6;

/** Operators whose outputs are random, so that no data can tell whether they are right. */
const RANDOM = /^(RandomNormal|RandomUniform|Bernoulli|Multinomial|Dropout)/;

/** Reasons for which a case cannot pass; the last two would be ours. */
export type Reason =
  | "element type that cannot cross to JavaScript"
  | "sequence or optional as input or output"
  | "random output"
  | "refused by ONNX Runtime"
  | "ONNX Runtime gives another result"
  | "unknown operator"
  | "wrong shape or type inferred";

/** Whether a case passes, or why not. */
export interface Verdict {
  /** Operators of the case that Modicum knows, domain first unless it is ONNX's own. */
  readonly operators: readonly string[];
  readonly reason?: Reason;
  readonly detail?: string;
}

/** Judges the case in `folder`, such as `node/test_abs`. */
export async function judgeCase(
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  runtime: Runtime,
): Promise<Verdict> {
  const program = readModel(files.get(`${folder}/model.onnx`)!);
  const operators = [
    ...new Set([...program.allNodes()].map(({ domain, operator }) => (domain ? `${domain}.` : "") + operator)),
  ];
  const verdict = (reason: Reason, detail?: string): Verdict => ({ operators, reason, ...(detail ? { detail } : {}) });
  const functions = new Set(program.functions.map(({ name }) => name));
  const unknown = [...program.allNodes()].find(
    ({ operator, domain }) => !findOperator(operator, domain) && !functions.has(operator),
  );
  if (unknown) return verdict("unknown operator", unknown.operator);
  const { inputs, outputs } = program.graph;
  if ([...inputs, ...outputs].some((value) => value.otherType))
    return verdict("sequence or optional as input or output");
  const read = (role: "input" | "output", index: number): Tensor | undefined =>
    tensorOf(files, `${folder}/test_data_set_0/${role}_${index}.pb`);
  const given = inputs.map((_, index) => read("input", index));
  const expected = outputs.map((_, index) => read("output", index));
  if ([...given, ...expected].some((tensor) => !tensor)) return verdict("element type that cannot cross to JavaScript");
  const wrong = inferredWrong(program, given as Tensor[], expected as Tensor[]);
  if (wrong) return verdict("wrong shape or type inferred", wrong);
  const random = [...program.allNodes()].some(({ operator }) => RANDOM.test(operator));
  if (random && !/\/test_dropout_default|zero_ratio/.test(folder)) return verdict("random output");
  const feeds = Object.fromEntries(inputs.map(({ name }, index) => [name, given[index]!]));
  try {
    const session = await runtime.createSession(writeModel(program));
    try {
      const results = await session.run(feeds);
      const different = outputs.find(({ name }, index) => !agrees(results[name]!, expected[index]!));
      return different ? verdict("ONNX Runtime gives another result", different.name) : { operators };
    } finally {
      await session.release();
    }
  } catch (error) {
    const text = (error as Error).message;
    if (!(error instanceof ModicumError)) throw error;
    const cannotCross = /must be a tensor of 8 bits|of a type JavaScript has/.test(text);
    return verdict(cannotCross ? "element type that cannot cross to JavaScript" : "refused by ONNX Runtime", text);
  }
}

function tensorOf(files: ReadonlyMap<string, Uint8Array>, file: string): Tensor | undefined {
  const bytes = files.get(file);
  try {
    return bytes && readConstant(fromBinary(TensorProtoSchema, bytes), undefined, file).load();
  } catch {
    return undefined;
  }
}

/** Infers a copy from the inputs' numbers, and returns the first output that is contradicted. */
function inferredWrong(program: Program, given: readonly Tensor[], expected: readonly Tensor[]): string | undefined {
  const copy = cloneProgram(program).program;
  for (const node of copy.allNodes()) {
    for (const output of node.outputs) {
      if (!output) continue;
      output.dtype = undefined;
      output.shape = undefined;
    }
  }
  copy.graph.inputs.forEach((input, index) => {
    const tensor = given[index]!;
    input.shape = tensor.shape;
    input.constant = { dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
  });
  inferShapes(copy);
  const index = copy.graph.outputs.findIndex((output, at) => {
    const truth = expected[at]!;
    // The cases' own data hold some narrow types as wider ones.
    return output.dtype === truth.dtype && differsFrom(output, truth, new Map());
  });
  return index < 0
    ? undefined
    : `${describeValue(copy.graph.outputs[index]!)}, expected ${describeValue(expected[index]!)}`;
}

function agrees(actual: Tensor, expected: Tensor): boolean {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) return false;
  if (Array.isArray(actual.data)) return actual.data.join("\0") === (expected.data as string[]).join("\0");
  const [a, b] = [toNumbers(actual), toNumbers(expected)];
  const largest = b.reduce((most, y) => (Number.isFinite(y) ? Math.max(most, Math.abs(y)) : most), 0);
  return a.every((x, i) => {
    const y = b[i]!;
    return (
      Object.is(x, y) ||
      x === y ||
      (Number.isNaN(x) && Number.isNaN(y)) ||
      Math.abs(x - y) <= OF_LARGEST * largest + RELATIVE * Math.abs(y)
    );
  });
}
