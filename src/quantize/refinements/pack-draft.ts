/** Drafts as plain data and tensors, to be kept in a file. */
import type { Value } from "../../program/index.ts";
import { Tensor } from "../../tensor/index.ts";
import type { ActivationGrid } from "../grid.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import type { Draft } from "./refinement.ts";

/** A draft without its program: layers by their number, values by their name, arrays by their tensor's name. */
export interface PackedDraft {
  readonly weights: readonly (readonly [layer: number, packed: unknown])[];
  readonly grids: readonly (readonly [value: string, packed: unknown])[];
}

/** Packs a draft; its arrays are added to `tensors`, those that are there already are not added again. */
export function packDraft(draft: Draft, tensors: Record<string, Tensor>): PackedDraft {
  const names = new Map(Object.entries(tensors).map(([name, { data }]) => [data as object, name]));
  const pack = (value: unknown): unknown => {
    const tensor = tensorOf(value);
    if (!tensor) return value;
    const name = names.get(value as object) ?? `array.${names.size}`;
    names.set(value as object, name);
    tensors[name] ??= tensor;
    return { $tensor: name };
  };
  const packed = (value: unknown): unknown => deep(value, pack);
  return {
    weights: [...draft.weights].map(([layer, { layer: _, ...others }]) => [
      draft.layers.indexOf(layer),
      packed(others),
    ]),
    grids: [...draft.grids].map(([value, grid]) => [value.name, packed(grid)]),
  };
}

/** Returns the draft that was packed, as one of the same program as `start`. */
export function unpackDraft(packed: PackedDraft, tensors: Readonly<Record<string, Tensor>>, start: Draft): Draft {
  const unpack = (value: unknown): unknown =>
    value !== null && typeof value === "object" && "$tensor" in value ? tensors[String(value.$tensor)]!.data : value;
  const values = new Map<string, Value>([...start.grids.keys()].map((value) => [value.name, value]));
  return {
    ...start,
    weights: new Map(
      packed.weights.map(([index, others]) => {
        const layer = start.layers[index]!;
        return [layer, { ...(deep(others, unpack) as Omit<QuantizedLayer, "layer">), layer }];
      }),
    ),
    grids: new Map(packed.grids.map(([name, grid]) => [values.get(name)!, deep(grid, unpack) as ActivationGrid])),
  };
}

const DTYPES = [
  [Int8Array, "int8"],
  [Uint8Array, "uint8"],
  [Float32Array, "float32"],
  [Float64Array, "float64"],
] as const;

function tensorOf(value: unknown): Tensor | undefined {
  const [, dtype] = DTYPES.find(([type]) => value instanceof type) ?? [];
  return dtype && new Tensor(dtype, [(value as Int8Array).length], value as Int8Array);
}

/** Copies plain data, replacing what `replace` replaces. */
function deep(value: unknown, replace: (value: unknown) => unknown): unknown {
  const replaced = replace(value);
  if (replaced !== value || replaced === null || typeof replaced !== "object") return replaced;
  if (ArrayBuffer.isView(replaced)) return replaced;
  if (Array.isArray(replaced)) return replaced.map((one) => deep(one, replace));
  return Object.fromEntries(Object.entries(replaced).map(([name, one]) => [name, deep(one, replace)]));
}
