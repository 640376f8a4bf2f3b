/** Shape inference against what ONNX Runtime produces: ONNX's own operator cases, and every value of the shared models. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { TensorProtoSchema } from "../src/onnx/generated/onnx_pb.ts";
import { readModel, writeModel } from "../src/onnx/index.ts";
import { readConstant } from "../src/onnx/read-constant.ts";
import { countMacs, inferShapes } from "../src/ops/index.ts";
import { cloneProgram, type Program, type Value } from "../src/program/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { Tensor } from "../src/tensor/index.ts";
import { describeValue, differsFrom } from "./support/shape-truth.ts";
import { onnxNodeTests, sharedModels } from "./support/shared-data.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
}, 60_000);

/** Concrete inputs for the shared models, two sizes each where the model has a free axis. */
const MODEL_INPUTS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "magika-v3.3.onnx": [[1, 2048]],
  "mnist-cnn.onnx": [[1, 1, 28, 28]],
  "mobilenetv2-12-int8.onnx": [[1, 3, 224, 224]],
  "mobilenetv2.onnx": [[1, 3, 224, 224]],
  "resnet20-cifar10.onnx": [
    [1, 3, 32, 32],
    [3, 3, 32, 32],
  ],
  "squeezenet1.1.onnx": [[1, 3, 224, 224]],
  "stories260k.onnx": [
    [1, 7],
    [2, 5],
  ],
  "super-resolution-x3.onnx": [
    [1, 1, 20, 30],
    [2, 1, 17, 9],
  ],
};

/** Multiply-accumulates of one sample. */
const MODEL_MACS: Readonly<Record<string, number>> = {
  // torchvision states 0.301 and 0.349 billion for these two networks.
  "mobilenetv2.onnx": 300_774_272,
  "mobilenetv2-12-int8.onnx": 300_774_272,
  "squeezenet1.1.onnx": 349_151_936,
  // Stem 16*27*32*32, stages 6*16*144*32*32 and twice (1/2 + 5)*32*288*16*16, head 640; its shortcuts multiply nothing.
  "resnet20-cifar10.onnx": 442_368 + 14_155_776 + 2 * 12_976_128 + 640,
};

const models = sharedModels();
describe.skipIf(models.length === 0)("shape inference of the shared models", () => {
  for (const file of models) {
    const name = path.basename(file);
    it(`knows every value of ${name} in symbols, and as ONNX Runtime produces it for concrete inputs`, async () => {
      const program = withoutDeclaredShapes(readModel(readFileSync(file)));
      const symbolic = cloneProgram(program).program;
      expect(inferShapes(symbolic).unknownNodes).toEqual([]);
      const values = computedValues(symbolic);
      expect(values.filter((value) => !value.dtype || !value.shape || value.shape.includes(null))).toEqual([]);
      for (const shape of MODEL_INPUTS[name] ?? []) {
        const input = program.graph.inputs.find((value) => !value.constant)!;
        const concrete = cloneProgram(program).program;
        inferShapes(concrete, { inputShapes: { [input.name]: shape } });
        const symbols = new Map<string, number>();
        input.shape!.forEach((length, axis) => {
          if (typeof length === "string") symbols.set(length, shape[axis]!);
        });
        const produced = await runEveryValue(program, filled(input, shape));
        computedValues(concrete).forEach((value, index) => {
          const truth = produced[index]!;
          expect(describeValue(value)).toBe(describeValue(truth));
          expect(differsFrom(values[index]!, truth, symbols)).toBe(false);
        });
      }
    });
  }

  for (const file of models.filter((model) => path.basename(model) in MODEL_MACS)) {
    it(`counts the multiply-accumulates of ${path.basename(file)}`, () => {
      const { total, complete } = countMacs(readModel(readFileSync(file)));
      expect(total).toBe(MODEL_MACS[path.basename(file)]);
      expect(complete).toBe(true);
    });
  }
});

/** The operator cases' files by path. */
let files: ReadonlyMap<string, Uint8Array> | undefined;
beforeAll(() => {
  files = onnxNodeTests();
}, 60_000);

describe("shape inference of ONNX's operator cases", () => {
  it("is never wrong about an output, with the inputs' shapes alone or with their numbers too", async ({ skip }) => {
    if (!files) return skip("the operator cases are not there");
    const tally = { exact: 0, partial: 0, unknownRank: 0, unknownOperator: 0, notRun: 0 };
    const wrong: string[] = [];
    const operators = new Set<string>();
    const models = [...files].filter(([file]) => file.endsWith("/model.onnx"));
    for (const [file, bytes] of models) {
      const folder = path.posix.dirname(file);
      const truths = await outputsOfCase(readModel(bytes), folder);
      if (truths.byRuntime === false) tally.notRun++;
      for (const numbersKnown of [false, true]) {
        const program = withoutDeclaredShapes(readModel(bytes));
        bindInputs(program, folder, numbersKnown);
        const { unknownNodes } = inferShapes(program);
        for (const node of program.allNodes()) if (!unknownNodes.includes(node)) operators.add(node.operator);
        if (unknownNodes.length > 0) tally.unknownOperator++;
        program.graph.outputs.forEach((output, index) => {
          const truth = truths.values[index];
          if (!truth) return;
          if (differsFrom(output, truth, new Map())) {
            wrong.push(`${folder}: ${describeValue(output)}, ONNX Runtime ${describeValue(truth)}`);
          } else if (!output.shape) tally.unknownRank++;
          else if (describeValue(output) === describeValue(truth)) tally.exact++;
          else tally.partial++;
        });
      }
    }
    console.info(`${models.length} cases, ${operators.size} operators: ${JSON.stringify(tally)}`);
    expect(wrong).toEqual([]);
    expect(tally.exact).toBeGreaterThan(3000);
    expect(operators.size).toBeGreaterThan(175);
  }, 120_000);
});

/** Leaves only what the graph's inputs and constants say. */
function withoutDeclaredShapes(program: Program): Program {
  for (const value of computedValues(program)) {
    value.dtype = undefined;
    value.shape = undefined;
  }
  return program;
}

function computedValues(program: Program): Value[] {
  return program.graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== undefined));
}

function filled(input: Value, shape: readonly number[]): Record<string, Tensor> {
  const count = shape.reduce((product, length) => product * length, 1);
  if (input.dtype === "int64") return { [input.name]: new Tensor("int64", shape, new BigInt64Array(count).fill(1n)) };
  if (input.dtype === "int32") return { [input.name]: new Tensor("int32", shape, new Int32Array(count).fill(1)) };
  return { [input.name]: new Tensor("float32", shape, new Float32Array(count).fill(0.5)) };
}

/** Runs a model with every value as an output. */
async function runEveryValue(program: Program, feeds: Record<string, Tensor>): Promise<Tensor[]> {
  const open = cloneProgram(program).program;
  open.graph.outputs = computedValues(open);
  open.graph.outputs.forEach((value, index) => {
    value.name = `value_${index}`;
  });
  const session = await runtime.createSession(writeModel(open), { optimization: "disabled" });
  const outputs = await session.run(feeds);
  await session.release();
  return open.graph.outputs.map((value) => outputs[value.name]!);
}

function tensorOf(file: string): Tensor | undefined {
  const bytes = files?.get(file);
  if (!bytes) return undefined;
  try {
    return readConstant(fromBinary(TensorProtoSchema, bytes), undefined, file).load();
  } catch {
    return undefined; // a sequence or an optional
  }
}

/** Gives a case's inputs the shapes of its data, or makes constants of them. */
function bindInputs(program: Program, folder: string, asConstants: boolean): void {
  program.graph.inputs.forEach((input, index) => {
    const tensor = input.otherType ? undefined : tensorOf(path.posix.join(folder, `test_data_set_0/input_${index}.pb`));
    if (!tensor) return;
    input.shape = tensor.shape;
    if (asConstants) input.constant = { dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
  });
}

/** What a case's outputs really are: from ONNX Runtime, or where it does not have the operator from the case's own data. */
async function outputsOfCase(
  program: Program,
  folder: string,
): Promise<{ readonly byRuntime: boolean; readonly values: readonly (Tensor | undefined)[] }> {
  // The cases' own data hold bfloat16 as the bits in uint16.
  const isTensor = program.graph.outputs.map((output) => !output.otherType && output.dtype !== "bfloat16");
  const stored = isTensor.map((tensor, index) =>
    tensor ? tensorOf(path.posix.join(folder, `test_data_set_0/output_${index}.pb`)) : undefined,
  );
  const feeds: Record<string, Tensor> = {};
  for (const [index, input] of program.graph.inputs.entries()) {
    const tensor = input.otherType ? undefined : tensorOf(path.posix.join(folder, `test_data_set_0/input_${index}.pb`));
    if (!tensor) return { byRuntime: false, values: stored };
    feeds[input.name] = tensor;
  }
  if (!isTensor.every(Boolean)) return { byRuntime: false, values: stored };
  try {
    const session = await runtime.createSession(writeModel(program));
    const outputs = await session.run(feeds);
    await session.release();
    return { byRuntime: true, values: program.graph.outputs.map((output) => outputs[output.name]) };
  } catch {
    return { byRuntime: false, values: stored };
  }
}
