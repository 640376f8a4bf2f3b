/** Matrices and their products, which ONNX Runtime forms. */
import { writeModel } from "../../onnx/index.ts";
import { DEFAULT_OPSET, Emitter, Graph, Program, Value } from "../../program/index.ts";
import type { Runtime, Session } from "../../runtime/index.ts";
import { float32 } from "../../tensor/index.ts";

/** A matrix, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Products of fewer multiplications than this are formed here: a call costs more. */
const WORTH_A_CALL = 2 ** 15;

/** Forms products of matrices of any size. */
export class MatrixProducts {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Makes products ready to be formed on a runtime. Call `release` afterwards. */
  static async open(runtime: Runtime): Promise<MatrixProducts> {
    const emitter = new Emitter();
    const inputs = [new Value("a", "float32", [null, null]), new Value("b", "float32", [null, null])];
    const options = { output: "product", dtype: "float32", shape: [null, null], attributes: { transB: 1 } } as const;
    const outputs = [emitter.emit("Gemm", inputs, options)];
    const graph = new Graph("product", { inputs, outputs, nodes: emitter.nodes });
    return new MatrixProducts(await runtime.createSession(writeModel(new Program(graph, [["", DEFAULT_OPSET]]))));
  }

  /** Returns `a b^T`. */
  async timesTransposed(a: Matrix, b: Matrix): Promise<Matrix> {
    const [rows, columns, length] = [a.rows, b.rows, a.columns];
    if (rows * columns * length < WORTH_A_CALL) return smallProduct(a, b);
    const feeds = { a: float32([rows, length], a.data), b: float32([columns, length], b.data) };
    const { product } = await this.#session.run(feeds);
    return { rows, columns, data: product!.data as Float32Array };
  }

  /** Frees what ONNX Runtime holds. */
  async release(): Promise<void> {
    await this.#session.release();
  }
}

function smallProduct(a: Matrix, b: Matrix): Matrix {
  const data = new Float32Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) sum += a.data[i * a.columns + k]! * b.data[j * a.columns + k]!;
      data[i * b.rows + j] = sum;
    }
  }
  return { rows: a.rows, columns: b.rows, data };
}

/** Returns a copy of rows `top` to `bottom` (not included) of columns `left` to `right` (not included). */
export function part({ columns, data }: Matrix, [top, bottom]: Extent, [left, right]: Extent): Matrix {
  const copied = new Float32Array((bottom - top) * (right - left));
  for (let row = top, to = 0; row < bottom; row++, to += right - left) {
    copied.set(data.subarray(row * columns + left, row * columns + right), to);
  }
  return { rows: bottom - top, columns: right - left, data: copied };
}

/** Where a part of a matrix starts, and where it ends. */
export type Extent = readonly [start: number, end: number];

/** Returns the transpose of `part`. */
export function partTransposed({ columns, data }: Matrix, [top, bottom]: Extent, [left, right]: Extent): Matrix {
  const height = bottom - top;
  const copied = new Float32Array(height * (right - left));
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      copied[(column - left) * height + row - top] = data[row * columns + column]!;
    }
  }
  return { rows: right - left, columns: height, data: copied };
}

/** Returns the matrix with its columns (and, where asked, its rows) in another order: column i is what column `order[i]` was. */
export function reordered({ rows, columns, data }: Matrix, order: Uint32Array, alsoRows = false): Matrix {
  const moved = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const from = (alsoRows ? order[row]! : row) * columns;
    for (let column = 0; column < columns; column++) moved[row * columns + column] = data[from + order[column]!]!;
  }
  return { rows, columns, data: moved };
}
