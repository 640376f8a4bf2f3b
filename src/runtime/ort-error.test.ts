import { describe, expect, it } from "vitest";
import { toLoadFailure, toRuntimeFailure } from "./ort-error.ts";

/** Texts as ONNX Runtime 1.30 wrote them. */
describe("what ONNX Runtime throws", () => {
  it("becomes one line with the node at fault, the original kept as its cause", () => {
    const cause = new Error(
      "Non-zero status code returned while running MatMul node. Name:'product' Status Message: matmul_helper.h:63 Compute MatMul dimension mismatch",
    );
    const failure = toRuntimeFailure("run", cause);
    expect(failure.code).toBe("runtime");
    expect(failure.cause).toBe(cause);
    expect(failure.message).toBe(
      'run: ONNX Runtime must accept MatMul node "product", got: matmul_helper.h:63 Compute MatMul dimension mismatch',
    );
  });

  it("loses source paths and stack traces", () => {
    const text =
      "Non-zero status code returned while running Reshape node. Name:'fold' Status Message: " +
      "/onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:47 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&) " +
      "input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{2,3}, requested shape:{4,2}\n" +
      "Stacktrace:\n  at something\n";
    expect(toRuntimeFailure("run", new Error(text)).message).toBe(
      'run: ONNX Runtime must accept Reshape node "fold", got: The input tensor cannot be reshaped to the requested shape. ' +
        "Input shape:{2,3}, requested shape:{4,2}",
    );
  });

  it("is cut short when very long", () => {
    const { message } = toRuntimeFailure("run", new Error("x".repeat(10_000)));
    expect(message.length).toBeLessThan(500);
    expect(message).toMatch(/x \.\.\.$/);
  });

  it.each([
    [`Node (Cast_3) Op (Cast) [TypeInferenceError] Output type must be float16`, 'Cast node "Cast_3"'],
    [
      `This is an invalid model. In Node, ("stem", Conv, "", -1) : ("x": tensor(int4)) -> () , Error Unrecognized`,
      'Conv node "stem"',
    ],
    [`Could not find an implementation for GridSample(16) node with name 'warp'`, 'GridSample node "warp"'],
  ])("has the node wherever the text names it: %s", (text, place) => {
    expect(toLoadFailure(new Error(text)).message).toMatch(
      new RegExp(`^createSession: ONNX Runtime must accept ${place}, got: `),
    );
  });

  it.each([
    [
      "Non-zero status code returned while running Conv node. Name:'stem/Conv_3' Status Message: void* onnxruntime::BFCArena::" +
        "AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1073741824",
      'run: memory must hold Conv node "stem/Conv_3", got too little for 1024.0 MiB more. Use smaller batches, chunks in training, or a smaller model.',
    ],
    ["std::bad_alloc", "run: memory must hold the model, got too little for what it asked for. Use smaller batches"],
    ["RangeError: Array buffer allocation failed", "run: memory must hold the model"],
  ])("says that memory is short where it is: %s", (text, message) => {
    expect(toRuntimeFailure("run", new Error(text)).message).toContain(message);
  });

  it("may be anything", () => {
    expect(toRuntimeFailure("run", 42).message).toBe("run: ONNX Runtime must accept the model, got: 42");
    expect(toRuntimeFailure("run", new Error("")).message).toContain("got: an error without a message");
  });

  it("is about the type when the package cannot hand a type over", () => {
    const failure = toLoadFailure(new Error("Unsupported data type: 16"));
    expect(failure.code).toBe("unsupported");
    expect(failure.message).toContain("got bfloat16");
    expect(toLoadFailure(new Error("unsupported data type: 999")).message).toContain("got type 999");
  });
});
