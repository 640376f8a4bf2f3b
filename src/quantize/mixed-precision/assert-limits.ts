/** Checking limits before any work. */
import { OptionError } from "../../errors.ts";
import type { QuantizeOptions } from "../options.ts";
import type { Limits } from "./limits.ts";

/** @throws OptionError for limits that are no positive numbers, or that go together with other options as they cannot. */
export function assertLimits(limits: Limits, options: Pick<QuantizeOptions, "weights" | "simulate">): void {
  const { sizeBytes, latencyMs, maxDrop } = limits;
  const given = { sizeBytes, latencyMs, maxDrop };
  if (Object.values(given).every((limit) => limit === undefined)) {
    throw new OptionError("quantize: limits must have sizeBytes, latencyMs or maxDrop, got none of them.");
  }
  for (const [name, limit] of Object.entries(given)) {
    const isValid =
      limit === undefined || (Number.isFinite(limit) && (limit > 0 || (limit === 0 && name === "maxDrop")));
    if (!isValid) throw new OptionError(`quantize: ${name} of limits must be a number above zero, got ${limit}.`);
  }
  if (options.weights !== undefined) {
    throw new OptionError(
      `quantize: weights must be left out with limits, which choose the bits of each layer, got ${options.weights}. Bits of single layers can be set by layerBits.`,
    );
  }
  if (options.simulate) {
    throw new OptionError(
      "quantize: limits must be those of a model that can be deployed, got them with simulate: a simulation is neither smaller nor faster.",
    );
  }
}
