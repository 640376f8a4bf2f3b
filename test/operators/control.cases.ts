/** Cases of operators that hold sub-graphs, sequences or optionals. */
import { constantValue, Node, type Shape, Value } from "../../src/program/index.ts";
import type { DType } from "../../src/tensor/index.ts";
import { chain, constant, input, type OperatorCase, outputValues, scalar, subgraph } from "./operator-case.ts";

function value(name: string, dtype?: DType, shape?: Shape): Value {
  return new Value(name, dtype, shape);
}

/** A branch that multiplies outer values. */
function branch(name: string, left: Value, right: Value): ReturnType<typeof subgraph> {
  const result = value(`${name}_result`);
  return subgraph([], [new Node("MatMul", [left, right], [result])], [result]);
}

const branches: readonly OperatorCase[] = [
  chain(
    "If with branches of different lengths",
    ["If"],
    [input([], "bool"), input([2, 3]), input([3, 4]), input([3, 5])],
    { partial: true, macs: 30 },
    ([condition, x, narrow, wide]) => [
      new Node("If", [condition], outputValues(1), {
        attributes: { then_branch: branch("then", x!, wide!), else_branch: branch("else", x!, narrow!) },
      }),
    ],
  ),
  chain(
    "If whose condition is known, with a branch that would not make sense",
    ["If"],
    [input([2, 3]), input([3, 4])],
    // ONNX Runtime refuses the branch where the shapes are told; with a symbolic axis it runs.
    { expected: ["float32 [2, 4]"] },
    ([x, weights]) => {
      const [shape, last, known] = [value("shape"), value("last"), value("known")];
      const squeezed = value("squeezed");
      const axes = constantValue("axes", constant([1]).tensor);
      const three = constantValue("three", constant([3]).tensor);
      return [
        new Node("Shape", [x], [shape]),
        new Node("Slice", [shape, axes, three], [last]),
        new Node("Equal", [last, three], [known]),
        new Node("If", [known], outputValues(1), {
          attributes: {
            then_branch: branch("then", x!, weights!),
            else_branch: subgraph([], [new Node("Squeeze", [x, axes], [squeezed])], [squeezed]),
          },
        }),
      ];
    },
  ),
];

function loop(title: string, trips: number, grows: boolean): OperatorCase {
  return chain(
    title,
    ["Loop"],
    [scalar(trips), scalar(1, "bool"), input([2, 2])],
    grows ? { partial: true } : { macs: trips * 8 },
    ([count, condition, state]) => {
      const [index, goesOn, before] = [value("index", "int64", []), value("goes_on", "bool", []), value("before")];
      before.dtype = "float32";
      const [after, still, collected] = [value("after"), value("still"), value("collected")];
      const step = grows
        ? new Node("Concat", [before, state], [after], { attributes: { axis: 0 } })
        : new Node("MatMul", [before, state], [after]);
      const body = subgraph(
        [index, goesOn, before],
        [step, new Node("Identity", [goesOn], [still]), new Node("ReduceSum", [after], [collected])],
        [still, after, collected],
      );
      return [new Node("Loop", [count, condition, state], outputValues(2), { attributes: { body } })];
    },
  );
}

const scan = chain(
  "Scan over the second axis",
  ["Scan"],
  [input([4]), input([3, 5, 4]), input([4, 4])],
  { macs: 5 * 3 * 16 },
  ([state, sequence, weights]) => {
    const [before, slice] = [value("before", "float32", [4]), value("slice", "float32", [3, 4])];
    const [after, product] = [value("after"), value("product")];
    const body = subgraph(
      [before, slice],
      [new Node("Relu", [before], [after]), new Node("MatMul", [slice, weights], [product])],
      [after, product],
    );
    return [
      new Node("Scan", [state, sequence], outputValues(2), {
        attributes: { body, num_scan_inputs: 1, scan_input_axes: [1], scan_output_axes: [-1] },
      }),
    ];
  },
);

const sequences: readonly OperatorCase[] = [
  chain(
    "SequenceAt of a constructed sequence",
    ["SequenceConstruct", "SequenceAt"],
    [input([2, 3]), input([2, 3])],
    {},
    ([a, b]) => {
      const sequence = value("sequence");
      return [
        new Node("SequenceConstruct", [a, b], [sequence]),
        new Node("SequenceAt", [sequence, zero()], outputValues(1)),
      ];
    },
  ),
  chain(
    "inserting into an empty sequence",
    ["SequenceEmpty", "SequenceInsert"],
    [input([2, 3])],
    { partial: true },
    ([x]) => {
      const [empty, sequence] = [value("empty"), value("sequence")];
      return [
        new Node("SequenceEmpty", [], [empty], { attributes: { dtype: 1 } }),
        new Node("SequenceInsert", [empty, x], [sequence]),
        new Node("SequenceAt", [sequence, zero()], outputValues(1)),
      ];
    },
  ),
  chain(
    "erasing from a sequence",
    ["SequenceErase", "SequenceLength"],
    [input([2, 3]), input([2, 3])],
    {},
    ([a, b]) => {
      const [sequence, rest] = [value("sequence"), value("rest")];
      return [
        new Node("SequenceConstruct", [a, b], [sequence]),
        new Node("SequenceErase", [sequence, zero()], [rest]),
        new Node("SequenceLength", [rest], outputValues(1)),
      ];
    },
  ),
  ...[0, 1].map((added) =>
    chain(
      `splitting and joining, new axis ${added}`,
      ["SplitToSequence", "ConcatFromSequence"],
      [input([4, 3])],
      { partial: true },
      ([x]) => {
        const parts = value("parts");
        return [
          new Node("SplitToSequence", [x], [parts], { attributes: { axis: 1, keepdims: 1 - added } }),
          new Node("ConcatFromSequence", [parts], outputValues(1), { attributes: { axis: 1, new_axis: added } }),
        ];
      },
    ),
  ),
  chain("mapping over a sequence", ["SequenceMap"], [input([2, 3]), input([3, 4])], { opset: 17 }, ([x, weights]) => {
    const [sequence, mapped, item, product] = [value("sequence"), value("mapped"), value("item"), value("product")];
    item.dtype = "float32";
    product.dtype = "float32";
    const body = subgraph([item], [new Node("MatMul", [item, weights], [product])], [product]);
    return [
      new Node("SequenceConstruct", [x, x], [sequence]),
      new Node("SequenceMap", [sequence], [mapped], { attributes: { body } }),
      new Node("SequenceAt", [mapped, zero()], outputValues(1)),
    ];
  }),
  chain("an optional's element", ["Optional", "OptionalGetElement"], [input([2, 3])], { opset: 18 }, ([x]) => {
    const optional = value("optional");
    return [new Node("Optional", [x], [optional]), new Node("OptionalGetElement", [optional], outputValues(1))];
  }),
  chain("whether an optional has an element", ["OptionalHasElement"], [input([2, 3])], { opset: 18 }, ([x]) => {
    const optional = value("optional");
    return [new Node("Optional", [x], [optional]), new Node("OptionalHasElement", [optional], outputValues(1))];
  }),
];

function zero(): Value {
  return constantValue("zero", scalar(0).tensor);
}

/** Operators that hold sub-graphs, sequences or optionals. */
export const controlCases: readonly OperatorCase[] = [
  ...branches,
  loop("Loop of a fixed number of iterations", 3, false),
  loop("Loop whose state grows", 3, true),
  scan,
  ...sequences,
];
