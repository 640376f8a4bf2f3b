/** Nodes: one application of an ONNX operator. */
import { ModelFormatError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import type { Attribute, AttributeInput, AttributeValue } from "./attribute.ts";
import { constantOf } from "./constant.ts";
import type { Extras } from "./extras.ts";
import { Graph } from "./graph.ts";
import type { Value } from "./value.ts";

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** One application of an operator: `outputs = operator(inputs; attributes)`. A missing optional input is undefined. */
export class Node {
  readonly operator: string;
  /** Operator set the operator comes from; "" is ONNX's own ("ai.onnx" is written the same way). */
  readonly domain: string;
  /** Name in the file, and scope path in errors; may be empty, need not be unique. */
  name: string;
  readonly inputs: (Value | undefined)[];
  readonly outputs: (Value | undefined)[];
  readonly attributes: Map<string, Attribute>;
  /** Overload of a model-local function (IR 10); nearly always "". */
  overload = "";
  /** How gradients pass this node where that is not the operator's own rule. Opaque below build/, and never in a file. */
  gradient: unknown;
  extras: Extras | undefined;

  constructor(
    operator: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly (Value | undefined)[],
    options: NodeOptions = {},
  ) {
    this.operator = operator;
    this.domain = options.domain ?? "";
    this.name = options.name ?? "";
    this.inputs = [...inputs];
    this.outputs = [...outputs];
    this.attributes = new Map(
      Object.entries(options.attributes ?? {}).map(([name, value]) => [name, toAttribute(value)]),
    );
    for (const output of outputs) if (output) output.producer = this;
  }

  /** The input at `index`. @throws ModelFormatError if it is missing, which valid models never have. */
  input(index: number): Value {
    const value = this.inputs[index];
    if (!value) throw new ModelFormatError(`${this.label}: input ${index} must be present, got none.`);
    return value;
  }

  /** The output at `index`. @throws ModelFormatError if it is missing, which valid models never have. */
  output(index = 0): Value {
    const value = this.outputs[index];
    if (!value) throw new ModelFormatError(`${this.label}: output ${index} must be present, got none.`);
    return value;
  }

  /** How messages call this node: `Conv (features.0)`. */
  get label(): string {
    const name = this.name || this.outputs.find((output) => output)?.name || "";
    return name ? `${this.operator} (${name})` : this.operator;
  }

  /** Returns an integer attribute as a number, or the fallback when absent. */
  int(name: string, fallback: number): number;
  int(name: string): number | undefined;
  int(name: string, fallback?: number): number | undefined {
    const attribute = this.attributes.get(name);
    return attribute?.kind === "int" ? Number(attribute.value) : fallback;
  }

  /** Returns an integer-list attribute as numbers, or undefined when absent. */
  ints(name: string): number[] | undefined {
    const attribute = this.attributes.get(name);
    return attribute?.kind === "ints" ? attribute.value.map(Number) : undefined;
  }

  /** Returns a float attribute, or the fallback when absent. */
  float(name: string, fallback: number): number {
    const attribute = this.attributes.get(name);
    return attribute?.kind === "float" ? attribute.value : fallback;
  }

  /** Returns a string attribute decoded as UTF-8, or the fallback when absent. */
  string(name: string, fallback: string): string {
    const attribute = this.attributes.get(name);
    return attribute?.kind === "string" ? fromUtf8.decode(attribute.value) : fallback;
  }

  /** Sets an attribute from a plain value; see AttributeInput. */
  set(name: string, value: AttributeInput): void {
    this.attributes.set(name, toAttribute(value));
  }

  /** The graphs held by this node's attributes (branches of If, bodies of Loop and Scan). */
  get subgraphs(): Graph[] {
    return [...this.attributes.values()].flatMap((attribute) =>
      attribute.kind === "graph" ? [attribute.value] : attribute.kind === "graphs" ? attribute.value : [],
    );
  }
}

/** What else a node has beyond its operator and its values. */
export interface NodeOptions {
  readonly domain?: string;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
}

/**
 * Turns a plain value into an attribute: integers (number or bigint) become "int", strings "string", arrays of integers
 * "ints", arrays of strings "strings", `{ float: 0.5 }` and non-integer numbers "float". A float that may happen to be
 * whole must be given as `{ float: 1 }`.
 */
export function toAttribute(value: AttributeInput): Attribute {
  if (typeof value === "bigint") return { kind: "int", value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { kind: "int", value: BigInt(value) } : { kind: "float", value };
  if (typeof value === "string") return { kind: "string", value: utf8.encode(value) };
  if (value instanceof Tensor) return { kind: "tensor", value: constantOf(value) };
  if (value instanceof Graph) return { kind: "graph", value };
  if (Array.isArray(value)) return listAttribute(value);
  if ("float" in value) return { kind: "float", value: value.float };
  return value as Attribute;
}

function listAttribute(values: readonly (number | string)[]): AttributeValue {
  if (values.every((value) => typeof value === "string"))
    return { kind: "strings", value: values.map((value) => utf8.encode(value)) };
  const numbers = values as readonly number[];
  if (numbers.every(Number.isInteger)) return { kind: "ints", value: numbers.map(BigInt) };
  return { kind: "floats", value: numbers };
}
