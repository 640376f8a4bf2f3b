import { describe, expect, it } from "vitest";
import { constantValue, Graph, Node, Program, type Shape, Value } from "../program/index.ts";
import { zeros } from "../tensor/index.ts";
import { inferShapes } from "./infer-shapes.ts";

/** A convolution, a pooling over everything and a matrix product, for images of `shape`. */
function classifier(shape: Shape): { program: Program; image: Value; logits: Value; nodes: readonly Node[] } {
  const image = new Value("image", "float32", shape);
  const [features, pooled, flat, logits] = ["features", "pooled", "flat", "logits"].map((name) => new Value(name)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const nodes = [
    new Node("Conv", [image, constantValue("kernel", zeros("float32", [8, 3, 3, 3]))], [features], { name: "stem" }),
    new Node("GlobalAveragePool", [features], [pooled]),
    new Node("Flatten", [pooled], [flat]),
    new Node("MatMul", [flat, constantValue("head", zeros("float32", [8, 10]))], [logits], { name: "head" }),
  ];
  return { program: new Program(new Graph("g", { inputs: [image], outputs: [logits], nodes })), image, logits, nodes };
}

describe("inferShapes", () => {
  it("carries symbols through and computes with them", () => {
    const { program, logits, nodes } = classifier(["batch", 3, "height", "width"]);
    expect(inferShapes(program).unknownNodes).toEqual([]);
    expect(nodes[0]!.output().shape).toEqual(["batch", 8, "height - 2", "width - 2"]);
    expect(logits.shape).toEqual(["batch", 10]);
    expect(logits.dtype).toBe("float32");
  });

  it("gives a bound symbol its number everywhere it occurs", () => {
    const { program, image, logits } = classifier(["batch", 3, "size", "size"]);
    logits.shape = ["batch", 10];
    inferShapes(program, { inputShapes: { image: [4, 3, 9, 9] } });
    expect(image.shape).toEqual([4, 3, 9, 9]);
    expect(logits.shape).toEqual([4, 10]);
  });

  it("binds one symbol and leaves the others", () => {
    const { program, image } = classifier(["batch", 3, "size", "size"]);
    inferShapes(program, { symbols: { batch: 1 } });
    expect(image.shape).toEqual([1, 3, "size", "size"]);
  });

  it("refuses two lengths for one symbol, wrong ranks, wrong lengths and unknown inputs", () => {
    const bind = (shapes: Record<string, number[]>) => () =>
      inferShapes(classifier(["batch", 3, "size", "size"]).program, { inputShapes: shapes });
    expect(bind({ image: [1, 3, 8, 9] })).toThrow('inputShapes: "size" must have one length everywhere, got 8 and 9.');
    expect(bind({ image: [1, 3, 8] })).toThrow(
      'inputShapes: the shape of "image" must fit [batch, 3, size, size], got [1, 3, 8].',
    );
    expect(bind({ image: [1, 4, 8, 8] })).toThrow("must fit [batch, 3, size, size], got [1, 4, 8, 8]");
    expect(bind({ picture: [1] })).toThrow('each name must be an input of the model, got "picture". Inputs: image.');
    expect(bind({ image: [1.5, 3, 8, 8] })).toThrow("must be whole numbers >= 0");
  });

  it("names the node and both shapes when inputs contradict each other, and changes nothing", () => {
    const { program, nodes } = classifier([1, 4, 9, 9]);
    expect(() => inferShapes(program)).toThrow(
      "Conv (stem): input channels must be 1 (group) times the weights' second axis, got [1, 4, 9, 9] and [8, 3, 3, 3].",
    );
    expect(nodes[0]!.output().shape).toBeUndefined();
  });

  it("names the node when a declared shape or type contradicts the inferred one", () => {
    const shape = classifier([2, 3, 9, 9]);
    shape.logits.shape = [2, 11];
    expect(() => inferShapes(shape.program)).toThrow(
      'MatMul (head): "logits" must have its declared shape, got [2, 11] and [2, 10].',
    );
    const type = classifier([2, 3, 9, 9]);
    type.logits.dtype = "float16";
    expect(() => inferShapes(type.program)).toThrow(
      'MatMul (head): "logits" must have the declared element type float16, got float32.',
    );
  });

  it("keeps what is declared where an operator is unknown, and says so", () => {
    const [x, y, z] = [new Value("x", "float32", [2, 3]), new Value("y", "float32", [5, "n"]), new Value("z")];
    const mystery = new Node("Mystery", [x], [y], { domain: "example" });
    const program = new Program(
      new Graph("g", { inputs: [x], outputs: [z], nodes: [mystery, new Node("Relu", [y], [z])] }),
    );
    expect(inferShapes(program).unknownNodes).toEqual([mystery]);
    expect(z.shape).toEqual([5, "n"]);
  });

  it("takes nothing from the names exporters give to all unknown lengths", () => {
    const [a, b, sum] = [new Value("a", "float32", ["?", 3]), new Value("b", "float32", ["?", 3]), new Value("sum")];
    const nodes = [new Node("Add", [a, b], [sum])];
    const program = new Program(new Graph("g", { inputs: [a, b], outputs: [sum], nodes }));
    inferShapes(program, { inputShapes: { a: [4, 3] } });
    expect(b.shape).toEqual([null, 3]);
    expect(sum.shape).toEqual([4, 3]);
  });

  it("gives the same result when run again", () => {
    const { program, logits } = classifier(["batch", 3, "size", "size"]);
    inferShapes(program);
    inferShapes(program);
    expect(logits.shape).toEqual(["batch", 10]);
  });
});
