/** `--target-size`, `--target-latency`, `--max-drop` and `--layer-bits`: bits of single layers, chosen or stated. */
import { type Command, InvalidArgumentError } from "commander";
import type { DropMeasure, LayerBitsOption, QuantizeOptions } from "../quantize/index.ts";
import { byteSize, milliseconds, numberFromZero } from "./option-values.ts";

/** What the options of `addLimitOptions` leave in a command's options. */
export interface LimitFlags {
  /** Bytes. */
  readonly targetSize?: number;
  /** Milliseconds. */
  readonly targetLatency?: number;
  /** Points. */
  readonly maxDrop?: number;
  readonly layerBits?: Readonly<Record<string, LayerBitsOption>>;
}

/** Adds the options. */
export function addLimitOptions(command: Command): void {
  command
    .optionsGroup("Mixed precision:")
    .option(
      "--target-size <size>",
      "largest file, such as 500kB or 1.2MB: bits are chosen layer by layer, so that the outputs change least",
      byteSize,
    )
    .option(
      "--target-latency <time>",
      "longest median time of one sample on this machine, such as 3.5ms: layers may stay in float where that is faster, or fast enough",
      milliseconds,
    )
    .option(
      "--max-drop <points>",
      "the smallest file that loses at most so many points: of top-1 with labelled --data, else of agreement with the float model",
      numberFromZero,
    )
    .option(
      "--layer-bits <name=bits>",
      "bits of one layer's weights, or weights/activations with --simulate, such as conv1=8 or conv1=8/4; may be repeated",
      layerBits,
    );
}

/** Reads `name=bits` or `name=bits/bits`, added to those before. */
export function layerBits(
  text: string,
  before: Readonly<Record<string, LayerBitsOption>> = {},
): Readonly<Record<string, LayerBitsOption>> {
  const [, name, weights, activations] = /^(.+)=(\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("It must be a layer's name and bits, such as conv1=8.");
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The layer ${name} must have bits only once.`);
  const bits = { weights: Number(weights), ...(activations !== undefined && { activations: Number(activations) }) };
  return { ...before, [name]: bits };
}

/** Returns the flags that give layers other bits, for advice. */
export function layerBitsFlags(names: readonly string[], bits: number): string {
  return names
    .map((name) => `--layer-bits ${/[^\w./:-]/.test(name) ? `'${name}=${bits}'` : `${name}=${bits}`}`)
    .join(" ");
}

/** Returns the fields of `QuantizeOptions` that were stated. */
export function limitsFromFlags(
  { targetSize, targetLatency, maxDrop, layerBits: single }: LimitFlags,
  drop?: DropMeasure,
): Pick<QuantizeOptions, "limits" | "layerBits"> {
  const stated = { sizeBytes: targetSize, latencyMs: targetLatency, maxDrop, drop };
  const limits = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
  return { ...(Object.keys(limits).length > 0 && { limits }), ...(single && { layerBits: single }) };
}
