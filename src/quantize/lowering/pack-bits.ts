/** Tables of two values, such as attention masks, as one bit an element: a smaller file, the same numbers. */
import { constantSize, constantValue, Emitter, type Program, type Use, type Value } from "../../program/index.ts";
import { byteLength, type DType, dtypeCode, int64, Tensor } from "../../tensor/index.ts";

/** Types of tables that are packed. */
const PACKED_TYPES: ReadonlySet<DType> = new Set<DType>(["bool", "float32", "int64"]);

/** Smaller tables are not worth the nodes that unpack them. */
const LEAST_BYTES = 4096;

/** BitShift came with this opset. */
const LEAST_OPSET = 11;

/**
 * Replaces every constant of at least two axes, 4 kB and just two distinct values by its bits and nodes that unpack them.
 * The unpacking reads constants only, so ONNX Runtime does it once, when it loads the model. Changes the program in place.
 */
export function packBits(program: Program): void {
  if (program.opset < LEAST_OPSET) return;
  const { graph } = program;
  const emitter = new Emitter();
  for (const [table, uses] of graph.uses()) {
    if (!isLargeTable(table) || !uses.every((use) => use.graph === graph && use.node !== undefined)) continue;
    const pair = valuesOf(table);
    if (pair) replaceIn(uses, unpacked(table, pair, emitter));
  }
  graph.nodes.unshift(...emitter.nodes);
}

function isLargeTable({ constant }: Value): boolean {
  if (!constant || !PACKED_TYPES.has(constant.dtype) || constant.shape.length < 2) return false;
  return byteLength(constant.dtype, constantSize(constant)) >= LEAST_BYTES;
}

function replaceIn(uses: readonly Use[], value: Value): void {
  for (const { node, index } of uses) node!.inputs[index] = value;
}

type Element = number | bigint;

/** The two values of a table, the lower first; undefined if there are more or fewer. Zeros of either sign are two values. */
function valuesOf(table: Value): readonly [Element, Element] | undefined {
  const data = table.constant!.load().data as ArrayLike<Element>;
  const first = data[0]!;
  let second: Element | undefined;
  for (let i = 0; i < data.length; i++) {
    if (Object.is(data[i], first) || Object.is(data[i], second)) continue;
    if (second !== undefined) return undefined;
    second = data[i]!;
  }
  if (second === undefined) return undefined;
  return first < second ? [first, second] : [second, first];
}

/** Emits the nodes that make a table from its bits. */
function unpacked(table: Value, [low, high]: readonly [Element, Element], emitter: Emitter): Value {
  const { dtype, shape } = table.constant!;
  const data = table.constant!.load().data as ArrayLike<Element>;
  const bytes = new Uint8Array(Math.ceil(data.length / 8));
  for (let i = 0; i < data.length; i++) if (Object.is(data[i], high)) bytes[i >> 3]! |= 128 >> (i & 7);
  const constant = (tensor: Tensor): Value => emitter.constant(`${table.name}_bits`, tensor);
  const packed = constant(new Tensor("uint8", [bytes.length, 1], bytes));
  const places = constant(new Tensor("uint8", [8], Uint8Array.of(7, 6, 5, 4, 3, 2, 1, 0)));
  const shifted = emitter.emit("BitShift", [packed, places], { attributes: { direction: "RIGHT" } });
  const bits = emitter.emit("Mod", [shifted, constant(new Tensor("uint8", [], Uint8Array.of(2)))]);
  const flat = emitter.emit("Reshape", [bits, constant(int64([-1]))]);
  // The last byte may have bits to spare.
  const whole =
    data.length % 8 === 0 ? flat : emitter.emit("Slice", [flat, constant(int64([0])), constant(int64([data.length]))]);
  const shaped = emitter.emit("Reshape", [whole, constant(int64(shape))]);
  const asBool = { attributes: { to: dtypeCode("bool") } };
  const output = { output: table.name, dtype, shape };
  if (dtype === "bool") return emitter.emit("Cast", [shaped], { ...asBool, ...output });
  const isHigh = emitter.emit("Cast", [shaped], asBool);
  const [ifHigh, ifLow] = [high, low].map((value) => constantValue(table.name, scalar(dtype, value)));
  return emitter.emit("Where", [isHigh, ifHigh, ifLow], output);
}

function scalar(dtype: DType, value: Element): Tensor {
  if (dtype === "int64") return new Tensor(dtype, [], BigInt64Array.of(value as bigint));
  return new Tensor(dtype, [], Float32Array.of(value as number));
}
