/** Bits of single layers, by name. */
import { OptionError } from "../errors.ts";
import type { Layer } from "../prepare/index.ts";

/** Bits of one layer that are asked for; what is left out is as the policy says. */
export interface LayerBitsOption {
  /** Bits of the weights, 2 to 8; 16 leaves them in float. */
  readonly weights?: number;
  /** Bits of the layer's output, 2 to 8; only with `simulate`. */
  readonly activations?: number;
}

/** Returns what a layer is called: its node's name, or its output's where that has none. */
export function layerName({ node, output }: Layer): string {
  return node.name || output.name;
}

/** @throws OptionError if one of the names is none of a layer that can be quantized. */
export function assertLayerNames(layerBits: ReadonlyMap<string, LayerBitsOption>, layers: readonly Layer[]): void {
  for (const name of layerBits.keys()) {
    const found = layers.filter((layer) => layerName(layer) === name);
    if (found.some(({ reason }) => reason === undefined)) continue;
    const [refused] = found;
    if (refused) {
      throw new OptionError(
        `quantize: layerBits must name layers that can be quantized, got "${name}", which cannot be: ${refused.reason}.`,
      );
    }
    const known = layers.filter(({ reason }) => reason === undefined).map(layerName);
    const more = known.length > NAMES_SHOWN ? ` and ${known.length - NAMES_SHOWN} more` : "";
    throw new OptionError(
      `quantize: layerBits must name layers of the model (${known.slice(0, NAMES_SHOWN).join(", ")}${more}), got "${name}". \`modicum inspect\` lists them.`,
    );
  }
}

const NAMES_SHOWN = 8;
