import { type InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { writeModel } from "../onnx/index.ts";
import { Graph, Node, Program, Value } from "../program/index.ts";
import { float32, tensorOf } from "../tensor/index.ts";
import { caseModel, doubling } from "./case-models.cases.ts";
import { nodeRuntime } from "./node.ts";
import { wrapSession } from "./ort-session.ts";
import { withUnconvertibleOutput } from "./unconvertible-output.ts";

const SHAPE = [2, 3];
const X = float32(SHAPE, [1, 2, 3, 4, 5, 6]);

/** What the fake engine does once it has doubled its input. */
type Ending = "refuses, as onnxruntime-node 1.30" | "refuses without having filled the tensors" | "hands all over";

/** Stands for onnxruntime-node: doubles x into what it is given, or into new memory. Keeps what it was given. */
function fakeSession(ending: Ending, given: OrtTensor[], shape: readonly (number | string)[] = SHAPE) {
  const metadata = (name: string) => ({ name, isTensor: true, type: "float32", shape }) as const;
  return {
    inputNames: ["x"],
    outputNames: ["modicum.unconvertible", "y"],
    inputMetadata: [metadata("x")],
    outputMetadata: [{ name: "modicum.unconvertible", isTensor: false }, metadata("y")],
    async run({ x }: { x: OrtTensor }, fetches: readonly string[] | Record<string, OrtTensor | null>) {
      const y = Array.isArray(fetches) ? undefined : (fetches as { y: OrtTensor }).y;
      if (y) given.push(y);
      const into = y && !ending.includes("without") ? y : new OrtTensor("float32", new Float32Array(6), SHAPE);
      (x.data as Float32Array).forEach((value, index) => {
        (into.data as Float32Array)[index] = 2 * value;
      });
      if (y && ending.startsWith("refuses")) throw new Error("Non tensor type is temporarily not supported.");
      return { y: into };
    },
    async release() {},
  } as unknown as InferenceSession;
}

const wrap = (session: InferenceSession) =>
  wrapSession(session, { OrtTensorClass: OrtTensor, oneAtATime: (work) => work(), held: ["y"] });

describe("outputs in given memory", () => {
  it.each<[Ending, number]>([
    ["refuses, as onnxruntime-node 1.30", 4],
    ["refuses without having filled the tensors", 1],
    ["hands all over", 1],
  ])("hold the right numbers where the engine %s, and are given %i times in 4 runs", async (ending, times) => {
    const given: OrtTensor[] = [];
    const session = await wrap(fakeSession(ending, given));
    expect(session.outputNames).toEqual(["y"]);
    let { held } = await session.runHolding({ x: X });
    for (let step = 2; step <= 4; step++) {
      const next = await session.runHolding({ x: held.y! });
      held.y!.release();
      held = next.held;
      expect(await held.y!.read()).toEqual(
        float32(
          SHAPE,
          [1, 2, 3, 4, 5, 6].map((value) => 2 ** step * value),
        ),
      );
    }
    expect(given.length).toBe(times);
    expect((await session.run({ x: X })).y!.data[0]).toBe(2);
  });

  it("alternate between two pieces of memory, and never lie in one that is still held", async () => {
    const given: OrtTensor[] = [];
    const session = await wrap(fakeSession("refuses, as onnxruntime-node 1.30", given));
    const first = (await session.runHolding({ x: X })).held.y!;
    const second = (await session.runHolding({ x: X })).held.y!;
    first.release();
    // A second release gives nothing back: else two results would share memory.
    first.release();
    const third = (await session.runHolding({ x: X })).held.y!;
    const fourth = (await session.runHolding({ x: X })).held.y!;
    expect(given[2]!.data).toBe(given[0]!.data);
    expect(new Set(given.map(({ data }) => data)).size).toBe(3);
    for (const tensor of [second, third, fourth]) expect((await tensor.read()).data[0]).toBe(2);
  });

  it("are left to the engine where a shape is known only when it has run", async () => {
    const given: OrtTensor[] = [];
    const session = await wrap(fakeSession("refuses, as onnxruntime-node 1.30", given, ["batch", 3]));
    const { held } = await session.runHolding({ x: X });
    expect((await held.y!.read()).data[5]).toBe(12);
    expect(given).toEqual([]);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "outputs of onnxruntime-node in given memory", () => {
  it("are what a plain run gives, bit for bit, in every type, for scalars and for nothing", async () => {
    const types = ["float32", "float64", "float16", "int32", "int64", "uint8", "bool"] as const;
    const shapes = [[], [3], [0], [65, 33]];
    const samples = types.flatMap((dtype) =>
      shapes.map((shape) => {
        const count = shape.reduce((a, b) => a * b, 1);
        return tensorOf(
          dtype,
          shape,
          Array.from({ length: count }, (_, i) => i % 2),
        );
      }),
    );
    const model = caseModel(({ emitter, input }) =>
      samples.flatMap(({ dtype, shape }, index) => {
        const x = input(`x${index}`, dtype, [...shape]);
        return [emitter.emit("Identity", [x], { output: `y${index}`, dtype, shape: [...shape] })];
      }),
    );
    const session = await (await nodeRuntime({ threads: 1 })).createSession(model, { held: ["y0", "y1", "y2", "y3"] });
    const feeds = Object.fromEntries(samples.map((sample, index) => [`x${index}`, sample]));
    for (let run = 0; run < 3; run++) {
      const { results, held } = await session.runHolding(feeds);
      for (const [index, sample] of samples.entries()) {
        expect(held[`y${index}`] ? await held[`y${index}`]!.read() : results[`y${index}`]).toEqual(sample);
      }
      for (const tensor of Object.values(held)) tensor.release();
    }
    await session.release();
  });

  it("are really computed there: onnxruntime-node still fills given tensors before it refuses", async () => {
    const ort = await import("onnxruntime-node");
    const session = await ort.InferenceSession.create(withUnconvertibleOutput(doubling()).bytes);
    const x = new ort.Tensor("float32", Float32Array.of(1, 2, 3), [1, 3]);
    const y = new ort.Tensor("float32", new Float32Array(3), [1, 3]);
    await expect(session.run({ x }, { "modicum.unconvertible": null, y })).rejects.toThrow(
      "Non tensor type is temporarily not supported",
    );
    expect([...(y.data as Float32Array)]).toEqual([2, 4, 6]);
    await session.release();
  });

  it("are not asked of models whose opset is too old for them", async () => {
    const x = new Value("x", "float32", [2]);
    const y = new Value("y", "float32", [2]);
    const graph = new Graph("old", { inputs: [x], outputs: [y], nodes: [new Node("Relu", [x], [y])] });
    const model = writeModel(new Program(graph, [["", 10]]));
    const session = await (await nodeRuntime({ threads: 1 })).createSession(model, { held: ["y"] });
    const { held } = await session.runHolding({ x: float32([2], [-1, 1]) });
    expect([...(await held.y!.read()).data]).toEqual([0, 1]);
    await session.release();
  });
});
