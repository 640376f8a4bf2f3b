/** Integer weights of widths that no type has (2, 3, 5, 6 or 7 bits) in just so many bits: a smaller file, the same numbers. */
import { defineFunction } from "../../onnx/index.ts";
import {
  constantSize,
  constantValue,
  Emitter,
  Graph,
  Node,
  type Program,
  type Use,
  Value,
} from "../../program/index.ts";
import { dtypeCode, int64, Tensor, toNumbers } from "../../tensor/index.ts";

/** Where the function that unpacks is defined, in models that have it. */
const DOMAIN = "modicum";
const FUNCTION = "UnpackBits";

/** Bytes of a call of the function, with the shape it is given; and of the function itself. Rounded up. */
const CALL_BYTES = 120;
const FUNCTION_BYTES = 1200;

/** ReduceSum takes its axes as an input since this opset. */
const LEAST_OPSET = 13;

/** Returns the bytes that integers of some width take in a file: packed, or in the narrowest type, whichever is less. */
export function codeBytes(count: number, bits: number): number {
  return Math.min(typeBytes(count, bits), packedBytes(count, bits));
}

function typeBytes(count: number, bits: number): number {
  return bits <= 4 ? Math.ceil(count / 2) : count;
}

function packedBytes(count: number, bits: number): number {
  return bits * Math.ceil(count / 8) + CALL_BYTES;
}

/** A constant that gets smaller. */
interface Narrow {
  readonly value: Value;
  readonly uses: readonly Use[];
  readonly bits: number;
  readonly codes: ArrayLike<number>;
}

/**
 * Replaces integer constants of at least two axes that need fewer bits than their type has by their bits, plane by plane, and
 * a call of a function that puts them together as int8. It reads constants only, so ONNX Runtime does this once, when it
 * loads the model, and then runs the same kernels as with int8 constants. Nothing is changed where it would not save bytes.
 *
 * Changes the program in place. Source of the idea: bit planes, as in bit-serial arithmetic; see docs/decisions/0017.
 */
export function packCodes(program: Program): void {
  if (program.opset < LEAST_OPSET) return;
  const { graph } = program;
  const narrow: Narrow[] = [];
  for (const [value, uses] of graph.uses()) {
    if (!isTable(value) || !uses.every((use) => use.graph === graph && canRead(value, use))) continue;
    const codes = toNumbers(value.constant!.load());
    const bits = leastBits(codes);
    if (saving({ codes, bits, value }) > 0) narrow.push({ value, uses, bits, codes });
  }
  if (narrow.reduce((sum, one) => sum + saving(one), 0) <= FUNCTION_BYTES) return;
  const emitter = new Emitter();
  for (const one of narrow) replace(one, emitter, graph);
  graph.nodes.unshift(...emitter.nodes);
  program.functions = [...program.functions, unpackFunction(program.opset)];
  program.opsets.set(DOMAIN, 1);
}

function isTable({ constant }: Value): boolean {
  return (
    constant !== undefined && (constant.dtype === "int4" || constant.dtype === "int8") && constant.shape.length >= 2
  );
}

/** Whether a reader takes int8 as well: everyone who reads int8, and who turns int4 into something else. */
function canRead({ constant }: Value, { node }: Use): boolean {
  if (!node) return false;
  return constant!.dtype === "int8" || node.operator === "Cast" || node.operator === "DequantizeLinear";
}

function leastBits(codes: ArrayLike<number>): number {
  let lowest = 0;
  let highest = 0;
  for (let i = 0; i < codes.length; i++) {
    lowest = Math.min(lowest, codes[i]!);
    highest = Math.max(highest, codes[i]!);
  }
  let bits = 1;
  while (lowest < -(2 ** (bits - 1)) || highest > 2 ** (bits - 1) - 1) bits++;
  return bits;
}

function saving({ value, bits }: Pick<Narrow, "value" | "bits" | "codes">): number {
  const { dtype } = value.constant!;
  const count = constantSize(value.constant!);
  return typeBytes(count, dtype === "int4" ? 4 : 8) - packedBytes(count, bits);
}

function replace({ value, uses, bits, codes }: Narrow, emitter: Emitter, graph: Graph): void {
  const planeBytes = Math.ceil(codes.length / 8);
  const bytes = new Uint8Array(bits * planeBytes);
  const offset = 2 ** (bits - 1);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]! + offset;
    const at = i >> 3;
    for (let plane = 0; plane < bits; plane++) {
      if ((code >> plane) & 1) bytes[plane * planeBytes + at]! |= 128 >> (i & 7);
    }
  }
  const { shape } = value.constant!;
  const inputs = [
    constantValue(`${value.name}_bits`, new Tensor("uint8", [bits, planeBytes, 1], bytes)),
    emitter.constant("shape", int64(shape)),
    emitter.constant(
      "planes",
      new Tensor(
        "uint8",
        [bits, 1, 1],
        Uint8Array.from({ length: bits }, (_, plane) => plane),
      ),
    ),
    emitter.constant("offset", new Tensor("int32", [], Int32Array.of(offset))),
  ];
  const output = { domain: DOMAIN, output: `${value.name}_int8`, dtype: "int8", shape } as const;
  const unpacked = emitter.emit(FUNCTION, inputs, output);
  for (const { node, index } of uses) {
    const isIdentity = node!.operator === "Cast" && node!.int("to", 0) === dtypeCode("int8");
    if (isIdentity) graph.replaceUses(node!.output(), unpacked);
    else node!.inputs[index] = unpacked;
  }
}

/** `(packed, shape, planes, offset) -> int8`: bits to places, places to codes, codes to the shape. */
function unpackFunction(opset: number) {
  const emitter = new Emitter();
  const packed = new Value("packed", "uint8");
  const shape = new Value("shape", "int64");
  const planes = new Value("planes", "uint8");
  const offset = new Value("offset", "int32");
  const constant = (tensor: Tensor): Value => emitter.constant("number", tensor);
  const places = constant(new Tensor("uint8", [8], Uint8Array.of(7, 6, 5, 4, 3, 2, 1, 0)));
  const shifted = emitter.emit("BitShift", [packed, places], { attributes: { direction: "RIGHT" } });
  const bits = emitter.emit("Mod", [shifted, constant(new Tensor("uint8", [], Uint8Array.of(2)))]);
  const weighted = emitter.emit("BitShift", [bits, planes], { attributes: { direction: "LEFT" } });
  const integers = emitter.emit("Cast", [weighted], { attributes: { to: dtypeCode("int32") } });
  const sums = emitter.emit("ReduceSum", [integers, constant(int64([0]))], { attributes: { keepdims: 0 } });
  const codes = emitter.emit("Sub", [sums, offset]);
  const flat = emitter.emit("Reshape", [codes, constant(int64([-1]))]);
  // The last byte may have bits to spare.
  const count = emitter.emit("ReduceProd", [shape], { attributes: { keepdims: 1 } });
  const whole = emitter.emit("Slice", [flat, constant(int64([0])), count]);
  const shaped = emitter.emit("Reshape", [whole, shape]);
  const result = new Value("codes", "int8");
  emitter.append(new Node("Cast", [shaped], [result], { attributes: { to: dtypeCode("int8") } }));
  const graph = new Graph(FUNCTION, {
    inputs: [packed, shape, planes, offset],
    outputs: [result],
    nodes: emitter.nodes,
  });
  return defineFunction(graph, { name: FUNCTION, domain: DOMAIN, opset });
}
