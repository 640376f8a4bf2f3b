/** What probes of a precision share: looking at the tensors that it rounds in the step that was just taken. */
import type { ObserveRounding } from "../../build/index.ts";
import { OptionError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { ProbeContext } from "../probe.ts";
import { compileObserver, type Observer } from "./observer.ts";

/** Prefix of the metrics that hold what is observed: tensors are called as variables are. */
const PREFIX = "rounding.";

/** Looks at rounded tensors; compiled when it is first asked. */
export class RoundingObserver {
  readonly #probe: string;
  readonly #observe: ObserveRounding;
  #observer: Observer | undefined;

  /** @param probe Its name, for messages. */
  constructor(probe: string, observe: ObserveRounding) {
    this.#probe = probe;
    this.#observe = (ops, tensor) =>
      Object.fromEntries(Object.entries(observe(ops, tensor)).map(([name, value]) => [PREFIX + name, value]));
  }

  /**
   * Returns what is observed on the batch of the last step at the weights after it, by name.
   *
   * @throws OptionError if the plan's step has no precision.
   */
  async observe({ plan, runtime, batch, variables }: ProbeContext): Promise<Readonly<Record<string, Tensor>>> {
    if (!plan.step.precision) {
      throw new OptionError(
        `${this.#probe}: the training step must have a precision that rounds, got none. Give it int8() or leave the probe out.`,
      );
    }
    this.#observer ??= await compileObserver(plan, runtime, () => {}, this.#observe);
    await this.#observer.restore(await variables());
    const { training } = this.#observer;
    const metrics = await training.run(batch);
    return Object.fromEntries(
      Object.entries(metrics).flatMap(([name, value]) =>
        name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value] as const] : [],
      ),
    );
  }

  async release(): Promise<void> {
    await this.#observer?.training.release();
    this.#observer = undefined;
  }
}
