/** Whether the variables of a training stay in the GPU's memory between steps, in a page. */
import { compile, nn, optim, trainStep } from "../../src/index.ts";
import { HeldOrtTensor } from "../../src/runtime/held-ort-tensor.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { type WebRuntimeOptions, webRuntime } from "../../src/runtime/web.ts";
import { float32 } from "../../src/tensor/index.ts";

/** Where the variables fed to the last step were, by path, and what they are after it. */
export interface HeldVariables {
  readonly locations: Readonly<Record<string, string>>;
  readonly weight: readonly number[];
}

export async function run(options: WebRuntimeOptions): Promise<HeldVariables> {
  const inner = await webRuntime(options);
  const locations: Record<string, string> = {};
  const runtime: Runtime = {
    ...inner,
    async createSession(model, sessionOptions) {
      const session = await inner.createSession(model, sessionOptions);
      return {
        ...session,
        runHolding(feeds) {
          for (const [name, tensor] of Object.entries(feeds)) {
            locations[name] = tensor instanceof HeldOrtTensor ? tensor.ortTensor.location : "host";
          }
          return session.runHolding(feeds);
        },
      };
    },
  };
  const step = trainStep({
    inputs: { x: { shape: [2, 3] } },
    loss: ({ x }, scope) =>
      scope.ops.reduceMean(scope.ops.square(nn.linear(2)(x!, scope.child("head"))), { keepDims: false }),
    optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
  });
  const training = await compile(step, { runtime });
  for (let i = 0; i < 3; i++) await training.run({ x: float32([2, 3], [1, 2, 3, 4, 5, 6]) });
  const { "head.weight": weight } = await training.variables();
  await training.release();
  return { locations, weight: [...(weight!.data as Float32Array)] };
}
