/** The defaults of a quantization, and what does not go together. */
import { OptionError } from "../errors.ts";
import { type BlockGridKind, DEFAULT_BLOCK_SIZE } from "./block-format.ts";
import type { LayerBitsOption } from "./layer-bits.ts";
import { assertLimits } from "./mixed-precision/assert-limits.ts";
import type { Limits } from "./mixed-precision/limits.ts";
import type { Allocation, Correction, QuantizeOptions, Target } from "./options.ts";
import { type LayerPolicy, layerPolicies } from "./policy.ts";
import { type RangeMethodName, rangeMethods } from "./ranges/index.ts";
import type { RangeMethod } from "./ranges/range-method.ts";
import type { Refinement } from "./refinements/refinement.ts";

/** Every choice of a quantization, made. */
export interface Settings {
  readonly weights: number;
  readonly activations: number;
  readonly target: Target;
  readonly simulate: boolean;
  readonly range: RangeMethod;
  /** Another method for tensors that no ReLU bounds, taken for all of them if the model's outputs are then closer to float. */
  readonly rival: RangeMethod | undefined;
  readonly variant: "paper" | "levels";
  readonly granularity: "tensor" | "channel";
  readonly weightAllocation: Allocation;
  readonly activationAllocation: Allocation;
  readonly correction: Correction;
  readonly weightRange: "min-max" | "mse";
  readonly blockSize: number;
  readonly blockGrid: BlockGridKind;
  readonly policy: LayerPolicy;
  /** Bits of single layers, by name. */
  readonly layerBits: ReadonlyMap<string, LayerBitsOption>;
  readonly limits: Limits | undefined;
  readonly refinements: readonly Refinement[];
  /** Infinite without a budget. */
  readonly budgetSeconds: number;
  readonly seed: number;
}

/** Bits that mean "left in float". */
export const FLOAT_BITS = 16;

/**
 * Fills in defaults and refuses what does not go together.
 *
 * @throws OptionError naming the option.
 */
export function resolveSettings(options: QuantizeOptions): Settings {
  const simulate = options.simulate ?? false;
  const target = oneOf("target", options.target ?? "cpu", ["cpu", "webgpu", "portable"]);
  const { limits } = options;
  if (limits) assertLimits(limits, options);
  const weights = bitsOption("weights", options.weights ?? 8);
  const activations = bitsOption(
    "activations",
    options.activations ?? (target === "webgpu" && !simulate ? FLOAT_BITS : 8),
  );
  assertSomethingToDo(weights, activations, simulate);
  const refinements = options.refinements ?? [];
  const layerBits = layerBitsOption(options.layerBits ?? {}, simulate);
  const isNarrow = limits !== undefined || fewestBits({ weights, layerBits }) <= 4;
  const asPublished = simulate && refinements.length === 0;
  const granularity = oneOf("granularity", options.granularity ?? (asPublished ? "channel" : "tensor"), [
    "tensor",
    "channel",
  ]);
  const weightAllocation = options.weightAllocation ?? (asPublished ? "bits-optimal" : "none");
  const activationAllocation =
    options.activationAllocation ?? (asPublished && granularity === "channel" ? "bits-optimal" : "none");
  if (refinements.length > 0) assertRefinable(granularity, [weightAllocation, activationAllocation]);
  if (!simulate) {
    if (activations < 8)
      throw needsSimulation(
        `activations of ${activations} bits`,
        "ONNX Runtime has no kernels for activations below 8 bits.",
      );
    if (granularity === "channel")
      throw needsSimulation("ranges per channel", "Integer products cannot have a scale per input channel.");
    if (weightAllocation !== "none" || activationAllocation !== "none")
      throw needsSimulation("bit allocation", "No kernels have a width per channel.");
    if (target === "webgpu" && activations !== FLOAT_BITS) {
      throw new OptionError(
        `quantize: activations must stay in float (16) for target "webgpu", got ${activations}. Its execution provider has no integer convolutions.`,
      );
    }
  }
  if (activationAllocation !== "none" && granularity === "tensor") {
    throw new OptionError(
      `quantize: activationAllocation must be "none" with granularity "tensor", got "${activationAllocation}".`,
    );
  }
  // Fewer than 8 bits cannot spare any steps, and simulations show one method at a time.
  const fine = !simulate && activations === 8;
  if (target === "webgpu" && options.blockGrid === "asymmetric") {
    throw new OptionError(
      'quantize: blockGrid must be "symmetric" for target "webgpu", got "asymmetric". Its GatherBlockQuantized takes no packed zero points.',
    );
  }
  return {
    weights,
    activations,
    target,
    simulate,
    granularity,
    weightAllocation: oneOf("weightAllocation", weightAllocation, ALLOCATIONS),
    activationAllocation: oneOf("activationAllocation", activationAllocation, ALLOCATIONS),
    range:
      rangeMethods[
        oneOf("range", options.range ?? (fine ? "mse-wide" : "mse"), Object.keys(rangeMethods) as RangeMethodName[])
      ],
    rival: fine && options.range === undefined ? rangeMethods["aciq-laplace"] : undefined,
    variant: oneOf("variant", options.variant ?? "levels", ["paper", "levels"]),
    correction: oneOf("correction", options.correction ?? "mean", [
      "none",
      "mean",
      "mean-variance",
      "mean-variance-paper",
    ]),
    weightRange: oneOf("weightRange", options.weightRange ?? (!asPublished && isNarrow ? "mse" : "min-max"), [
      "min-max",
      "mse",
    ]),
    blockSize: blockSizeOption(options.blockSize ?? DEFAULT_BLOCK_SIZE),
    blockGrid: oneOf("blockGrid", options.blockGrid ?? (isNarrow && target !== "webgpu" ? "asymmetric" : "symmetric"), [
      "symmetric",
      "asymmetric",
    ]),
    policy:
      layerPolicies[
        oneOf(
          "policy",
          options.policy ?? (limits ? "uniform" : simulate ? "paper" : "deploy"),
          Object.keys(layerPolicies),
        )
      ]!,
    layerBits,
    limits,
    refinements,
    budgetSeconds: budgetOption(options.budgetSeconds ?? Number.POSITIVE_INFINITY),
    seed: seedOption(options.seed ?? 0),
  };
}

const ALLOCATIONS: readonly Allocation[] = ["none", "plain", "fixed-target", "bits-optimal"];

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  if ((known as readonly string[]).includes(value)) return value as T;
  throw new OptionError(`quantize: ${name} must be one of ${known.join(", ")}, got "${value}".`);
}

function bitsOption(name: string, bits: number): number {
  if (bits === FLOAT_BITS || (Number.isInteger(bits) && bits >= 2 && bits <= 8)) return bits;
  throw new OptionError(`quantize: ${name} must be an integer from 2 to 8 bits, or 16 to stay in float, got ${bits}.`);
}

/** What ONNX Runtime's operators on blocks take. */
const BLOCK_SIZES: readonly number[] = [16, 32, 64, 128, 256];

function blockSizeOption(size: number): number {
  if (BLOCK_SIZES.includes(size)) return size;
  throw new OptionError(`quantize: blockSize must be one of ${BLOCK_SIZES.join(", ")}, got ${size}.`);
}

/** Returns the fewest bits that any layer's weights are asked to have. */
export function fewestBits({ weights, layerBits }: Pick<Settings, "weights" | "layerBits">): number {
  return Math.min(weights, ...[...layerBits.values()].map((own) => own.weights ?? weights));
}

function layerBitsOption(
  layerBits: NonNullable<QuantizeOptions["layerBits"]>,
  simulate: boolean,
): ReadonlyMap<string, LayerBitsOption> {
  const entries = Object.entries(layerBits);
  for (const [name, { weights, activations }] of entries) {
    if (weights !== undefined) bitsOption(`layerBits of "${name}", weights,`, weights);
    if (activations === undefined) continue;
    bitsOption(`layerBits of "${name}", activations,`, activations);
    if (!simulate) throw needsSimulation(`activations of ${activations} bits for one layer`, "Kernels take 8 bits.");
  }
  return new Map(entries);
}

function assertSomethingToDo(weights: number, activations: number, simulate: boolean): void {
  if (weights !== FLOAT_BITS) return;
  if (activations === FLOAT_BITS) {
    throw new OptionError(
      "quantize: weights or activations must have at most 8 bits, got 16 for both: nothing would be quantized.",
    );
  }
  if (!simulate) {
    throw new OptionError(
      `quantize: weights must have at most 8 bits for activations of ${activations} bits, got 16: integer products take integers on both sides. Add simulate (--simulate) to quantize activations alone.`,
    );
  }
}

function assertRefinable(granularity: "tensor" | "channel", allocations: readonly Allocation[]): void {
  const got = granularity === "channel" ? 'granularity "channel"' : allocations.find((one) => one !== "none");
  if (got === undefined) return;
  throw new OptionError(
    `quantize: refinements need one range per tensor and one width per layer, as integer kernels have them, got ${got}. Leave out the allocations and the granularity, or the refinements.`,
  );
}

function budgetOption(seconds: number): number {
  if (seconds > 0) return seconds;
  throw new OptionError(`quantize: budgetSeconds must be more than 0, got ${seconds}.`);
}

function seedOption(seed: number): number {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw new OptionError(`quantize: seed must be an integer from 0 to ${2 ** 32 - 1}, got ${seed}.`);
}

function needsSimulation(what: string, why: string): OptionError {
  return new OptionError(
    `quantize: ${what} must be simulated. ${why} Add simulate (--simulate) to see what accuracy they would have.`,
  );
}

/** Returns the settings as plain values, for the report. */
export function settingsRecord(settings: Settings): Record<string, string | number | boolean> {
  const { rival, refinements, budgetSeconds, layerBits, limits, ...others } = settings;
  return {
    ...others,
    range: settings.range.name,
    policy: settings.policy.name,
    ...(rival && { rival: rival.name }),
    ...(refinements.length > 0 && { refinements: refinements.map(({ name }) => name).join(", ") }),
    ...(Number.isFinite(budgetSeconds) && { budgetSeconds }),
  };
}
