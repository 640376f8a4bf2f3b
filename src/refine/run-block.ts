/** Running a block over all samples: for the targets, for what the next block starts from, and for what is left of errors. */
import { UnsupportedError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import { type CompiledEvaluation, compileEvaluation, evaluation } from "../train/index.ts";
import { type BlockData, batchAt, batchInputs, blockInputs } from "./block-data.ts";
import { Samples } from "./samples.ts";
import type { TrainableBlock } from "./trainable-block.ts";

/** A block ready to run in float or with decided roundings. */
export class BlockRunner {
  readonly #block: TrainableBlock;
  readonly #data: BlockData;
  readonly #compiled: CompiledEvaluation;

  private constructor(block: TrainableBlock, data: BlockData, compiled: CompiledEvaluation) {
    this.#block = block;
    this.#data = data;
    this.#compiled = compiled;
  }

  /** Compiles a block. With a target in the data errors can be had. Always release it. */
  static async create(
    block: TrainableBlock,
    data: BlockData,
    mode: "float" | "hard" | "straight",
    runtime: Runtime,
  ): Promise<BlockRunner> {
    const built = evaluation({
      inputs: batchInputs(block, data),
      outputs: (values, scope) => {
        const { ops } = scope;
        const inputs = blockInputs(values, ops);
        const { output } = block.write(inputs, scope, mode);
        const kept = { output: ops.cast(output, "float16") };
        if (!inputs.target) return kept;
        const error = ops.reduceSum(ops.square(ops.sub(output, inputs.target)), { keepDims: false });
        return { ...kept, error, power: ops.reduceSum(ops.square(inputs.target), { keepDims: false }) };
      },
    });
    return new BlockRunner(block, data, await compileEvaluation(built, { runtime }));
  }

  /** Returns what the block gives for every sample, in 16 bits. */
  async outputs(variables: Readonly<Record<string, Tensor>>, signal: AbortSignal | undefined): Promise<Samples> {
    const { count, batchSize } = this.#data;
    let samples: Samples | undefined;
    for (let first = 0; first < count; first += batchSize) {
      signal?.throwIfAborted();
      const { output } = await this.#run(first, variables);
      if (output!.shape[0] !== batchSize) {
        throw new UnsupportedError(
          `refine: blocks must give one part for each sample, got [${output!.shape.join(", ")}] for ${batchSize} samples ` +
            `at "${this.#block.block.output.name}".`,
        );
      }
      samples ??= new Samples(output!.dtype, output!.shape.slice(1), count);
      samples.write(first, output!);
    }
    return samples!;
  }

  /** Returns the squared error of the output over its power, for the samples from `first` on. */
  async error(variables: Readonly<Record<string, Tensor>>, first: number): Promise<number> {
    const { count, batchSize } = this.#data;
    let error = 0;
    let power = 0;
    for (let at = first; at < count; at += batchSize) {
      const results = await this.#run(at, variables);
      error += toNumbers(results.error!)[0]!;
      power += toNumbers(results.power!)[0]!;
    }
    return power > 0 ? error / power : 0;
  }

  release(): Promise<void> {
    return this.#compiled.release();
  }

  /** Runs a batch from `first` on; beyond the last sample it is repeated. */
  #run(first: number, variables: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const { count, batchSize } = this.#data;
    const indices = Array.from({ length: batchSize }, (_, i) => Math.min(first + i, count - 1));
    return this.#compiled.run(batchAt(this.#block, this.#data, indices), variables);
  }
}
