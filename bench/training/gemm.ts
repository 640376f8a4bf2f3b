/**
 * The machine's floor: the product of two large float32 matrices by ONNX Runtime, both fed, so that neither is repacked
 * beforehand. One "step" is one product.
 */
import { Ops } from "../../src/build/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { Program } from "../../src/program/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, seededRandom } from "../../src/tensor/index.ts";
import { GEMM_SIZE } from "./gemm-size.ts";
import { type SideArguments, serve, type Trainer } from "./serve.ts";

async function build(_loaded: unknown, { threads }: SideArguments): Promise<Trainer> {
  const ops = new Ops();
  const shape = [GEMM_SIZE, GEMM_SIZE];
  const product = ops.matMul(ops.input("a", "float32", shape), ops.input("b", "float32", shape));
  // One element of the product as output: copying all of it to JavaScript is not part of the product.
  ops.writer.graph.outputs.push(ops.slice(product, { axes: [0, 1], starts: [0, 0], ends: [1, 1] }));
  const runtime = await nodeRuntime({ threads });
  const session = await runtime.createSession(writeModel(new Program(ops.writer.graph, ops.writer.opsets)));
  const random = seededRandom(0);
  const matrix = () => float32(shape, Float32Array.from({ length: GEMM_SIZE ** 2 }, random.normal));
  const feeds = { a: matrix(), b: matrix() };
  return {
    version: runtime.description,
    settings: `${GEMM_SIZE}^3 MatMul`,
    threads,
    async step() {
      const [corner] = Object.values(await session.run(feeds));
      return (corner!.data as Float32Array)[0]!;
    },
  };
}

await serve(build);
