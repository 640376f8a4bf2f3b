/** The quantize_config.json that model repositories for transformers.js carry. */
import type { TransformersDtype } from "./dtype.ts";
import { isFloatVariant, type ModelVariant, variantBits, variantPath } from "./model-variant.ts";

/** One file, and everything needed to make it again. */
export interface QuantizedFile {
  readonly file: string;
  readonly dtype: TransformersDtype;
  readonly weight_bits: number | null;
  readonly activation_bits: number | null;
  readonly mean_weight_bits: number;
  readonly target: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly calibration: { readonly source: string; readonly samples: number };
  readonly input_sha256: string;
}

/** Content of quantize_config.json: the fields transformers.js's own script writes, and under `modicum` what it lacks. */
export interface QuantizeConfig {
  /** The dtypes in the folder, fp32 left out. */
  readonly modes: readonly TransformersDtype[];
  /** Weights have a scale per channel. */
  readonly per_channel: true;
  /** Weights use 7 bits of 8, for processors without VNNI. */
  readonly reduce_range: boolean;
  readonly modicum: {
    readonly version: string | null;
    readonly runtime: string | null;
    readonly files: readonly QuantizedFile[];
  };
}

/** Returns the content of quantize_config.json; the float variant is left out, and files made elsewhere are only named. */
export function quantizeConfig(variants: readonly ModelVariant[]): QuantizeConfig {
  const reports = variants.flatMap((variant) => (variant.report ? [{ variant, report: variant.report }] : []));
  return {
    modes: variants.filter((variant) => !isFloatVariant(variant)).map(({ dtype }) => dtype),
    per_channel: true,
    reduce_range: reports.some(({ report }) => report.settings.reduceRange === true),
    modicum: {
      version: reports[0]?.report.modicumVersion ?? null,
      runtime: reports[0]?.report.runtime ?? null,
      files: reports.map(({ variant, report }) => ({
        file: variantPath(variant),
        dtype: variant.dtype,
        weight_bits: variantBits(variant).weights,
        activation_bits: variantBits(variant).activations,
        mean_weight_bits: report.meanWeightBits,
        target: report.target,
        settings: report.settings,
        calibration: { source: report.calibration.source, samples: report.calibration.samples },
        input_sha256: report.input.sha256,
      })),
    },
  };
}
