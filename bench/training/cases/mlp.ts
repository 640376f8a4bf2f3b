/** Multilayer perceptrons: linear layers with ReLU between them. */
import { type CaseName, linear, type TrainingCase } from "./case.ts";

/** Layer i is named `layers.i`. */
export function mlp(name: CaseName, widths: readonly number[], batch: number): TrainingCase {
  const layers = widths.slice(1).map((outFeatures, i) => ({ inFeatures: widths[i]!, outFeatures }));
  return {
    name,
    description: `MLP ${widths.join("-")}, ReLU, batch ${batch}`,
    batch,
    input: { kind: "numbers", shape: [widths[0]!] },
    classes: widths.at(-1)!,
    parameters: layers.flatMap((layer, i) => linear(`layers.${i}`, layer.inFeatures, layer.outFeatures)),
    forwardMacs: batch * layers.reduce((sum, layer) => sum + layer.inFeatures * layer.outFeatures, 0),
  };
}
