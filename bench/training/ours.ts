/**
 * Our side of the benchmark: the model from `models/`, the step compiled and run as a user would. Variants: "float32", and
 * "loop", which takes a step on every batch in one ONNX Loop, and "int8", whose products are of bytes.
 */
import { compile, int8, nn, optim, Tensor, trainStep } from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import type { LoadedCase } from "./case-file.ts";
import { MODELS } from "./models/index.ts";
import { type LoopTrainer, type SideArguments, serve, type Trainer } from "./serve.ts";

async function build(loaded: LoadedCase, { threads, variant }: SideArguments): Promise<Trainer | LoopTrainer> {
  const { case: one, optimizer } = loaded;
  const runtime = await nodeRuntime({ threads });
  const isTokens = one.input.kind === "tokens";
  const shape = [one.batch, ...(one.input.kind === "tokens" ? [one.input.length] : one.input.shape)];
  const step = trainStep({
    inputs: {
      x: { shape, dtype: isTokens ? "int32" : "float32" },
      label: { shape: [one.batch], dtype: "int32" },
    },
    loss: ({ x, label }, scope) => nn.crossEntropy(MODELS[one.name](x!, scope), label!, scope),
    optimizer: optim.sgd(optimizer),
    ...(variant === "int8" && { precision: int8() }),
  });
  const loop = variant === "loop";
  const training = await compile(step, { runtime, loop, variables: parametersOf(loaded, step.variables) });
  const batches = loaded.batches.map(({ inputs, labels }) => ({
    x: new Tensor(isTokens ? "int32" : "float32", shape, inputs),
    label: new Tensor("int32", [one.batch], labels),
  }));
  const lossOf = ({ loss }: Readonly<Record<string, Tensor>>): number => (loss!.data as Float32Array)[0]!;
  const description = {
    version: runtime.description,
    settings: `${variant === "int8" ? "8 bits in products" : "float32"}${loop ? `, ${batches.length} steps in one Loop` : ""}, Node ${process.versions.node}`,
    threads,
  };
  if (loop) return { ...description, stepThroughAll: async () => (await training.runMany(batches)).map(lossOf) };
  return { ...description, step: async (_batch, index) => lossOf(await training.run(batches[index]!)) };
}

/** The case's parameters by path. @throws Error unless the model has just these. */
function parametersOf(
  { parameters }: LoadedCase,
  variables: readonly { readonly path: string; readonly role: string }[],
): Record<string, Tensor> {
  const given = parameters.map(({ name }) => name);
  const own = variables.filter(({ role }) => role === "parameter").map(({ path }) => path);
  const differing = [...given.filter((name) => !own.includes(name)), ...own.filter((path) => !given.includes(path))];
  if (differing.length > 0) throw new Error(`parameters differ: ${differing.join(", ")}`);
  return Object.fromEntries(parameters.map(({ name, shape, values }) => [name, new Tensor("float32", shape, values)]));
}

await serve(build);
