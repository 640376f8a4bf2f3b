/** Our side of the benchmark: the model from `models/`, the step compiled and run as a user would. */
import { compile, nn, optim, Tensor, trainStep } from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import type { LoadedCase } from "./case-file.ts";
import { MODELS } from "./models/index.ts";
import { type SideArguments, serve, type Trainer } from "./serve.ts";

async function build(loaded: LoadedCase, { threads }: SideArguments): Promise<Trainer> {
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
  });
  const training = await compile(step, { runtime, variables: parametersOf(loaded, step.variables) });
  const batches = loaded.batches.map(({ inputs, labels }) => ({
    x: new Tensor(isTokens ? "int32" : "float32", shape, inputs),
    label: new Tensor("int32", [one.batch], labels),
  }));
  return {
    version: runtime.description,
    settings: `float32, Node ${process.versions.node}`,
    threads,
    async step(_batch, index) {
      const { loss } = await training.run(batches[index]!);
      return (loss!.data as Float32Array)[0]!;
    },
  };
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
