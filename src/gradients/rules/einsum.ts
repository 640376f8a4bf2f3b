/** The gradient of Einsum: an Einsum with the gradient in the operand's place. */
import type { GradientRule, Ops } from "../../build/index.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Node, Value } from "../../program/index.ts";
import { tensorOf } from "../../tensor/index.ts";

/** A tensor with one letter per axis. */
interface Term {
  readonly value: Value;
  readonly labels: readonly string[];
}

/** An equation without ellipses and broadcasting: every letter has one length. */
interface Equation {
  readonly terms: readonly Term[];
  readonly output: readonly string[];
  readonly lengths: ReadonlyMap<string, number>;
  readonly letters: Letters;
}

/** Letters that no axis has yet. */
class Letters {
  readonly #free: string[];
  readonly #node: Node;

  constructor(node: Node, equation: string) {
    this.#node = node;
    this.#free = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter((c) => !equation.includes(c));
  }

  next(): string {
    const letter = this.#free.shift();
    if (letter) return letter;
    throw new UnsupportedError(`${this.#node.label}: the gradient must do with 52 letters for axes, got more axes.`);
  }
}

const einsum: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const equation = readEquation(node, ops);
  return node.inputs.map((input, index) =>
    input && context.needs(index)
      ? ops.reshape(operandGradient(ops, equation, index, dy), ops.shapeOf(input))
      : undefined,
  );
};

/** The gradient with respect to operand `index`, without the axes along which it was broadcast. */
function operandGradient(ops: Ops, { terms, output, lengths, letters }: Equation, index: number, dy: Value): Value {
  const others: Term[] = [{ value: dy, labels: output }, ...terms.filter((_, other) => other !== index)];
  const sizes = new Map(lengths);
  const wanted: string[] = [];
  for (const label of terms[index]!.labels) {
    if (!wanted.includes(label)) {
      wanted.push(label);
      continue;
    }
    // Of a diagonal (two axes of one letter) only elements with equal indices were used.
    const twin = letters.next();
    sizes.set(twin, sizes.get(label)!);
    others.push({ value: identityMatrix(ops, sizes.get(label)!, dy), labels: [label, twin] });
    wanted.push(twin);
  }
  // An axis that no other operand and no output has was summed: its elements all get the same.
  const known = wanted.filter((label) => others.some((term) => term.labels.includes(label)));
  const product = contract(ops, others, known);
  const shape = (labels: readonly string[]) => wanted.map((label) => (labels.includes(label) ? sizes.get(label)! : 1));
  return ops.expand(ops.reshape(product, shape(known)), shape(wanted));
}

/** Multiplies the terms and sums over all letters that are not wanted. */
function contract(ops: Ops, terms: readonly Term[], wanted: readonly string[]): Value {
  const scalars = terms.filter(({ labels }) => labels.length === 0);
  const tensors = terms.filter(({ labels }) => labels.length > 0);
  const [first] = tensors;
  // ONNX Runtime knows no scalars in equations.
  const times = (x: Value | undefined) =>
    scalars.reduce<Value | undefined>((product, { value }) => (product ? ops.mul(product, value) : value), x)!;
  if (tensors.length === 0) return times(undefined);
  if (tensors.length === 1 && first!.labels.join() === wanted.join()) return times(first!.value);
  const left = tensors.map(({ labels }) => labels.join("")).join();
  return times(
    ops.einsum(
      `${left}->${wanted.join("")}`,
      tensors.map(({ value }) => value),
    ),
  );
}

/** Gives every axis a letter: those of the ellipsis too. Operands lose axes of length 1 along which they are broadcast. */
function readEquation(node: Node, ops: Ops): Equation {
  const text = node.string("equation", "").replaceAll(" ", "");
  const [left, right] = text.split("->") as [string, string | undefined];
  const letters = new Letters(node, text);
  const operands = left.split(",");
  const shapes = operands.map((_, index) => ops.shapeOf(node.input(index)));
  const hidden = operands.map((operand, index) =>
    operand.includes("...") ? shapes[index]!.length - operand.replace("...", "").length : 0,
  );
  const ellipsis = Array.from({ length: Math.max(0, ...hidden) }, () => letters.next());
  const spell = (operand: string, count: number): string[] => [
    ...operand.replace("...", ellipsis.slice(ellipsis.length - count).join("")),
  ];
  const spelled = operands.map((operand, index) => spell(operand, hidden[index]!));
  const lengths = new Map<string, number>();
  spelled.forEach((labels, index) => {
    labels.forEach((label, axis) => {
      lengths.set(label, Math.max(lengths.get(label) ?? 1, shapes[index]![axis]!));
    });
  });
  const terms = spelled.map((labels, index): Term => {
    const kept = labels.map((label, axis) => shapes[index]![axis] === lengths.get(label));
    const shape = shapes[index]!.filter((_, axis) => kept[axis]);
    return { value: ops.reshape(node.input(index), shape), labels: labels.filter((_, axis) => kept[axis]) };
  });
  const output = right === undefined ? [...ellipsis, ...lettersOnce(left)] : spell(right, ellipsis.length);
  return { terms, output, lengths, letters };
}

/** The letters that occur once, in alphabetical order: the output of an equation that names none. */
function lettersOnce(operands: string): string[] {
  const letters = operands.replaceAll(/[.,]/g, "");
  return [...letters].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
}

function identityMatrix(ops: Ops, size: number, like: Value): Value {
  const ones = Array.from({ length: size * size }, (_, place) => (place % (size + 1) === 0 ? 1 : 0));
  return ops.constant(tensorOf(like.dtype!, [size, size], ones));
}

/** Products and sums by equation. */
export const einsums: Readonly<Record<string, GradientRule>> = { Einsum: einsum };
