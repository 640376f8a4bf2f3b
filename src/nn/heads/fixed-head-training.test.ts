import { describe, expect, it, vi } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import type { Layer } from "../../build/index.ts";
import { readModel } from "../../onnx/index.ts";
import { sgd } from "../../optim/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, int64, seededRandom, Tensor, toNumbers } from "../../tensor/index.ts";
import { compile, exportOnnx, trainStep } from "../../train/index.ts";
import { crossEntropy } from "../cross-entropy.ts";
import { linear } from "../linear.ts";
import { sequential } from "../sequential.ts";
import type { ClassCode } from "./class-code.ts";
import { fixedHead } from "./fixed-head.ts";
import { hadamardCode } from "./hadamard-code.ts";
import { orthogonalCode } from "./orthogonal-code.ts";

const [FEATURES, CLASSES] = [16, 5];

function network(code: ClassCode): Layer {
  return sequential({ body: linear(FEATURES), head: fixedHead({ code, form: "dense" })(CLASSES) });
}

function stepOf(model: Layer) {
  return trainStep({
    inputs: { x: { shape: [8, 6] }, label: { shape: [8], dtype: "int64" } },
    loss: ({ x, label }, scope) => crossEntropy(model(x!, scope), label!, scope),
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
  });
}

describe("the directions of fixed heads", () => {
  it("are drawn by nobody else's generator", () => {
    const drawn = vi.spyOn(Math, "random");
    for (const code of [orthogonalCode(), hadamardCode({ wide: "random-columns" })]) {
      code.prototypes(40, FEATURES).matrix();
      stepOf(network(code));
    }
    expect(drawn).not.toHaveBeenCalled();
    drawn.mockRestore();
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "the directions of fixed heads, trained", () => {
  it("leave the start of everything else as it is, whatever their seed", async () => {
    const runtime = await nodeRuntime({ threads: 1 });
    const starts = [];
    for (const seed of [1, 2]) {
      const training = await compile(stepOf(network(orthogonalCode({ seed }))), { runtime, seed: 7 });
      starts.push((await training.variables())["body.weight"]!);
      await training.release();
    }
    expect(starts[0]).toEqual(starts[1]);
  });

  it("are the same, bit for bit, after 100 steps, and no variable of their size is kept", async () => {
    const runtime = await nodeRuntime({ threads: 1 });
    const code = orthogonalCode();
    const model = network(code);
    const training = await compile(stepOf(model), { runtime, seed: 1 });
    const random = seededRandom(1);
    const before = await training.variables();
    for (let step = 0; step < 100; step++) {
      const x = float32(
        [8, 6],
        Float32Array.from({ length: 48 }, () => random.normal()),
      );
      await training.run({ x, label: int64(Array.from({ length: 8 }, () => random.integer(CLASSES))) });
    }
    const variables = await training.variables();
    await training.release();
    expect(toNumbers(variables["head.logits.scale"]!)).not.toEqual(toNumbers(before["head.logits.scale"]!));
    expect(Object.values(variables).filter(({ shape }) => String(shape) === `${CLASSES},${FEATURES}`)).toEqual([]);
    const file = exportOnnx({
      inputs: { x: { shape: ["batch", 6] } },
      outputs: ({ x }, scope) => model(x!, scope),
      variables,
    });
    const q = new Tensor(
      "float32",
      [CLASSES, FEATURES],
      Float32Array.from(code.prototypes(CLASSES, FEATURES).matrix()),
    );
    const stored = readModel(file.bytes).graph.initializers.filter(
      ({ constant }) => constant && [...constant.shape].sort().join() === [...q.shape].sort().join(),
    );
    expect(stored).toHaveLength(1);
    expect(stored[0]!.constant!.shape).toEqual(q.shape);
    // Float32 numbers are equal exactly where their bits are, but for zeros and what is not a number.
    expect(stored[0]!.constant!.load().data).toEqual(q.data);
  });
});
