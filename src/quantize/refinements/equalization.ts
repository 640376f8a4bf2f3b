/** Scaling the channels between layers so that their weights share ranges better: cross-layer equalization. */
import { floatTensor, type Layer } from "../../prepare/index.ts";
import { constantValue } from "../../program/index.ts";
import { toFloat32 } from "../../tensor/index.ts";
import { layerWeights } from "../quantize-layer.ts";
import { type EqualizationSite, equalizationSites, weightsOfInput, weightsOfOutput } from "./equalization-sites.ts";
import type { Refinement } from "./refinement.ts";

/** Rounds over all sites, at most, and the largest change of a factor's logarithm in a round that counts as none. */
const MOST_ROUNDS = 100;
const CONVERGED = 1e-3;

/**
 * Makes a refinement that divides each output channel i of a layer, and multiplies what reads it, by `s_i = sqrt(r1_i / r2_i)`,
 * r1 the channel's largest weight in the layer and r2 in those that read it: both are then `sqrt(r1_i r2_i)`. Over and over until
 * nothing changes. The model computes what it did, since ReLU, pools and concatenations commute with positive factors.
 *
 * Layers behind which a clip (ReLU6) follows are left as they are: a bound would have to differ by channel, which no integer
 * operator has. Scales per output channel take away most of what this gains with one scale per layer.
 *
 * @see Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", arXiv:1906.04721, section 4.1.
 * @example
 * await quantize(bytes, { runtime, weights: 4, refinements: [equalization()] });
 */
export function equalization(): Refinement {
  return {
    name: "equalization",
    summary: "scales channels between layers so that they share ranges (cross-layer equalization)",
    needsData: false,
    async rewrite(program, layers) {
      const all = equalizationSites(program, layers);
      const sites = all.filter(({ clips }) => clips.length === 0);
      equalize(layers, sites);
      const left = all.length - sites.length;
      return [
        `${sites.length} layers equalized with those that read them`,
        ...(left > 0 ? [`${left} left as they are: a clip follows`] : []),
      ];
    },
  };
}

function equalize(layers: readonly Layer[], sites: readonly EqualizationSite[]): void {
  const weights = new Map(layers.map((layer) => [layer, Float64Array.from(layerWeights(layer))]));
  const factors = sites.map(({ channels }) => new Float64Array(channels).fill(1));
  for (let round = 0, change = Number.POSITIVE_INFINITY; round < MOST_ROUNDS && change > CONVERGED; round++) {
    change = 0;
    for (const [s, { producer, channels, readers }] of sites.entries()) {
      const own = weights.get(producer)!;
      for (let c = 0; c < channels; c++) {
        const r1 = largest(own, weightsOfOutput(producer, c));
        const r2 = Math.max(
          ...readers.map(({ layer, firstChannel }) =>
            largest(weights.get(layer)!, weightsOfInput(layer, firstChannel + c)),
          ),
        );
        if (!(r1 > 0 && r2 > 0)) continue;
        const factor = Math.sqrt(r1 / r2);
        change = Math.max(change, Math.abs(Math.log(factor)));
        factors[s]![c]! *= factor;
        multiply(own, weightsOfOutput(producer, c), 1 / factor);
        for (const { layer, firstChannel } of readers) {
          multiply(weights.get(layer)!, weightsOfInput(layer, firstChannel + c), factor);
        }
      }
    }
  }
  const changed = new Set(sites.flatMap(({ producer, readers }) => [producer, ...readers.map(({ layer }) => layer)]));
  for (const layer of changed) {
    const { node, weight, weightIndex } = layer;
    const tensor = floatTensor(weight.dtype!, weight.constant!.shape, weights.get(layer)!);
    node.inputs[weightIndex] = constantValue(weight.name, tensor);
  }
  for (const [s, { producer }] of sites.entries()) if (producer.bias) divideBias(producer, factors[s]!);
}

function divideBias({ node, bias, biasNode }: Layer, factors: Float64Array): void {
  const values = toFloat32(bias!.constant!.load());
  const divided = Float64Array.from(factors, (factor, c) => values[values.length === 1 ? 0 : c]! / factor);
  const known = bias!.constant!.shape;
  const shape = known.at(-1) === divided.length ? known : [divided.length];
  const holder = biasNode ?? node;
  holder.inputs[holder.inputs.indexOf(bias)] = constantValue(bias!.name, floatTensor(bias!.dtype!, shape, divided));
}

function largest(values: Float64Array, places: Iterable<number>): number {
  let most = 0;
  for (const i of places) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

function multiply(values: Float64Array, places: Iterable<number>, factor: number): void {
  for (const i of places) values[i]! *= factor;
}
