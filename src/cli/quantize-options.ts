/** Options about the method of quantization: each is one field of `QuantizeOptions`, and has its default from there. */
import { type Command, Option } from "commander";
import type { Allocation, BlockGridKind, Correction, QuantizeOptions, Target } from "../quantize/index.ts";
import { wholeNumber } from "./option-values.ts";

/** What the options of `addMethodOptions` leave in a command's options. */
export interface MethodOptions {
  readonly weights?: number;
  readonly activations?: number;
  readonly target?: Target;
  readonly simulate?: boolean;
  readonly range?: string;
  readonly variant?: "paper" | "levels";
  readonly granularity?: "tensor" | "channel";
  readonly weightAllocation?: Allocation;
  readonly activationAllocation?: Allocation;
  readonly correction?: Correction;
  readonly weightRange?: "min-max" | "mse";
  readonly blockSize?: number;
  readonly blockGrid?: BlockGridKind;
  readonly policy?: string;
  readonly seed?: number;
}

const ALLOCATIONS: readonly Allocation[] = ["none", "plain", "fixed-target", "bits-optimal"];
const CORRECTIONS: readonly Correction[] = ["none", "mean", "mean-variance", "mean-variance-paper"];
const TARGETS: readonly Target[] = ["cpu", "webgpu", "portable"];

/** Adds `--weights`, `--activations`, `--target`, `--range` and so on. */
export async function addMethodOptions(command: Command): Promise<void> {
  const { layerPolicies, rangeMethods } = await import("../quantize/index.ts");
  const named = (records: Readonly<Record<string, { readonly summary: string }>>): string =>
    Object.entries(records)
      .map(([name, { summary }]) => `${name}: ${summary}`)
      .join("; ");
  const bits = wholeNumber(2, 8, [16]);
  command
    .optionsGroup("Method:")
    .option("-w, --weights <bits>", "bits of weights, 2 to 8; 16 leaves them in float (default 8)", bits)
    .option(
      "-a, --activations <bits>",
      "bits of activations, 2 to 8; 16 leaves them in float; below 8 only with --simulate (default 8; 16 for webgpu)",
      bits,
    )
    .addOption(
      new Option("--target <target>", "where the model will run (default cpu, which includes WASM)").choices(TARGETS),
    )
    .option("--simulate", "a float model that computes what 4-bit hardware would; for research, not smaller")
    .addOption(
      new Option("--range <method>", `range of activations. ${named(rangeMethods)}`).choices(Object.keys(rangeMethods)),
    )
    .addOption(
      new Option("--variant <variant>", "counting in ACIQ's formulas: 2^bits bins, or levels").choices([
        "paper",
        "levels",
      ]),
    )
    .addOption(new Option("--weight-range <method>", "scales of weights").choices(["min-max", "mse"]))
    .option(
      "--block-size <weights>",
      "weights that share a scale in matrix products and embeddings with --activations 16: 16, 32, 64, 128 or 256 (default 32)",
      wholeNumber(16, 256),
    )
    .addOption(
      new Option(
        "--block-grid <kind>",
        "whether such blocks have zero points (default asymmetric up to 4 bits but for webgpu, else symmetric)",
      ).choices(["symmetric", "asymmetric"]),
    )
    .addOption(new Option("--correction <kind>", "what is put right in quantized weights").choices(CORRECTIONS))
    .addOption(
      new Option("--granularity <what>", "one activation range per tensor or channel (channel: --simulate)").choices([
        "tensor",
        "channel",
      ]),
    )
    .addOption(
      new Option("--weight-allocation <kind>", "bits per channel of weights (--simulate)").choices(ALLOCATIONS),
    )
    .addOption(
      new Option("--activation-allocation <kind>", "bits per channel of activations (--simulate)").choices(ALLOCATIONS),
    )
    .addOption(
      new Option("--policy <policy>", `layers that keep 8 bits. ${named(layerPolicies)}`).choices(
        Object.keys(layerPolicies),
      ),
    )
    .option("--seed <number>", "of every random choice (default 0)", wholeNumber(0, 2 ** 32 - 1));
}

/** Returns the fields of `QuantizeOptions` that were stated. */
export function methodFromFlags(options: MethodOptions): Omit<QuantizeOptions, "runtime"> {
  const { weights, activations, target, simulate, range, variant, granularity } = options;
  const { weightAllocation, activationAllocation, correction, weightRange, blockSize, blockGrid, policy, seed } =
    options;
  const fields = {
    weights, activations, target, simulate, range, variant, granularity,
    weightAllocation, activationAllocation, correction, weightRange, blockSize, blockGrid, policy, seed,
  }; // biome-ignore format: a table
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
