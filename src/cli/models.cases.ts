/** Small models and files for tests of the command line. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModel } from "../onnx/index.ts";
import { constantValue, Emitter, Graph, Node, Program, type Shape, Value } from "../program/index.ts";
import { type DType, float32 } from "../tensor/index.ts";

/** Folder of the embedded example: model.onnx, preprocessing.json, 500 test and 100 training pictures. */
export const EXAMPLE: string = fileURLToPath(new URL("../../examples/fashion-mnist", import.meta.url));

/** The example's model. */
export const EXAMPLE_MODEL: string = join(EXAMPLE, "model.onnx");

/** Makes an empty folder that the test removes. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "modicum-cli-"));
}

/** Returns the bytes of a model: `build` gets the inputs and gives the output. */
export function modelBytes(
  inputs: readonly (readonly [name: string, shape: Shape, dtype?: DType])[],
  build: (emitter: Emitter, inputs: readonly Value[]) => Value,
  opset = 17,
): Uint8Array {
  const values = inputs.map(([name, shape, dtype = "float32"]) => new Value(name, dtype, shape));
  const emitter = new Emitter();
  const output = build(emitter, values);
  output.dtype ??= "float32";
  const graph = new Graph("test", { inputs: values, outputs: [output], nodes: [...emitter.nodes] });
  return writeModel(new Program(graph, [["", opset]], 8)).bytes;
}

/** A matrix product of 4 features to 3 scores, with given weights. */
export function matMulModel(weights: readonly number[], name = "x", dtype: DType = "float32"): Uint8Array {
  return modelBytes([[name, ["batch", 4], dtype]], (emitter, [x]) => {
    const input = dtype === "float32" ? x! : emitter.emit("Cast", [x!], { attributes: { to: 1 } });
    return emitter.emit("MatMul", [input, constantValue("weight", float32([4, 3], weights))], { output: "scores" });
  });
}

/** Weights of no particular meaning. */
export const WEIGHTS: readonly number[] = Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));

/** Two nodes that feed each other; written by hand, since a Program cannot hold a cycle in order. */
export function cyclicModel(): Uint8Array {
  const a = new Value("a", "float32", [1]);
  const b = new Value("b", "float32", [1]);
  const graph = new Graph("cycle", {
    outputs: [a],
    nodes: [new Node("Relu", [b], [a], { name: "first" }), new Node("Relu", [a], [b], { name: "second" })],
  });
  return writeModel(new Program(graph, [["", 17]], 8)).bytes;
}

/** Writes a float32 .npy file. */
export async function writeNpyFile(path: string, shape: readonly number[], values: readonly number[]): Promise<void> {
  const { writeNpy } = await import("../data/index.ts");
  await writeFile(path, writeNpy(float32(shape, values)));
}
