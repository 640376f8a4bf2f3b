/** All range methods by name: add a method here and the command line knows it. */
import { aciqGauss } from "./aciq-gauss.ts";
import { aciqLaplace } from "./aciq-laplace.ts";
import { aciqMix } from "./aciq-mix.ts";
import { kl } from "./kl.ts";
import { minMax } from "./min-max.ts";
import { mse } from "./mse.ts";
import { mseWide } from "./mse-wide.ts";
import { nSigma } from "./n-sigma.ts";
import { percentile } from "./percentile.ts";
import type { RangeMethod } from "./range-method.ts";

/** Name of a range method. */
export type RangeMethodName =
  | "min-max"
  | "aciq-laplace"
  | "aciq-gauss"
  | "aciq-mix"
  | "n-sigma"
  | "percentile"
  | "kl"
  | "mse"
  | "mse-wide";

/** The methods that choose a range, by the name they have on the command line. */
export const rangeMethods: Readonly<Record<RangeMethodName, RangeMethod>> = {
  "min-max": minMax,
  "aciq-laplace": aciqLaplace,
  "aciq-gauss": aciqGauss,
  "aciq-mix": aciqMix,
  "n-sigma": nSigma(),
  percentile: percentile(),
  kl,
  mse,
  "mse-wide": mseWide,
};
