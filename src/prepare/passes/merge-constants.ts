/** Constants that hold the same numbers: one is enough. */
import type { Constant, Graph, Value } from "../../program/index.ts";
import { byteLength, elementCount, type Tensor } from "../../tensor/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import type { Pass } from "../pass.ts";

/** Larger constants are not compared: reading many gigabytes twice would cost more than it saves. */
const MAX_BYTES = 16 * 2 ** 20;

/**
 * Makes one constant of those with equal element type, shape and bits (0 and -0 differ). Constants above 16 MiB, strings,
 * and constants that only sub-graphs use are left.
 */
export const mergeConstants: Pass = {
  name: "merge-constants",
  summary: "Shares constants that hold the same numbers.",
  run({ graph }) {
    const groups = new Map<string, [Value, Constant][]>();
    for (const value of ownConstants(graph)) {
      const constant = fixedConstant(value, graph);
      if (!constant || constant.dtype === "string") continue;
      if (byteLength(constant.dtype, elementCount(constant.shape)) > MAX_BYTES) continue;
      const key = `${constant.dtype}[${constant.shape.join()}]`;
      groups.set(key, [...(groups.get(key) ?? []), [value, constant]]);
    }
    const merged = new Map<Value, Value>();
    for (const group of groups.values()) if (group.length > 1) mergeEqual(group, merged);
    for (const [from, to] of merged) graph.replaceUses(from, to);
    graph.initializers = graph.initializers.filter((value) => !merged.has(value));
    return merged.size;
  },
};

/** Constants that the graph's own nodes use, and that are not its outputs. */
function ownConstants(graph: Graph): Set<Value> {
  const constants = new Set<Value>();
  for (const node of graph.nodes) for (const input of node.inputs) if (input?.constant) constants.add(input);
  for (const output of graph.outputs) constants.delete(output);
  return constants;
}

/** Different weights nearly always differ in their first bytes; the rest is read only where those are equal. */
const HASHED_BYTES = 4096;

/** Finds equal constants among those of one type and shape: by hash first, so that few have to be compared. */
function mergeEqual(group: readonly (readonly [Value, Constant])[], merged: Map<Value, Value>): void {
  const byHash = new Map<number, [Value, Constant][]>();
  for (const [value, constant] of group) {
    const bytes = bytesOf(constant.load());
    const hash = hashOf(bytes.subarray(0, HASHED_BYTES));
    const candidates = byHash.get(hash) ?? [];
    const equal = candidates.find(([, candidate]) => isEqual(bytesOf(candidate.load()), bytes));
    if (equal) merged.set(value, equal[0]);
    else byHash.set(hash, [...candidates, [value, constant]]);
  }
}

function bytesOf({ data }: Tensor): Uint8Array {
  if (Array.isArray(data)) throw new Error("internal: strings have no bytes");
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** 32-bit FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
