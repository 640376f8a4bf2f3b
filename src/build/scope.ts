/** Scopes: where a layer is in a model, and what it may use there. */
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import type { DType, Tensor } from "../tensor/index.ts";
import type { Ops } from "./ops.ts";
import type { RandomValues } from "./random-values.ts";
import type { Initializer, VariableSource } from "./variable.ts";

/** What is the same in all scopes of one model. */
export interface ScopeSettings {
  readonly variables: VariableSource;
  /** Whether layers behave as in training (batch statistics, dropout) or as in use. */
  readonly training: boolean;
  /** Element type of new parameters. Default "float32". */
  readonly dtype?: DType;
  /** Random numbers that differ from step to step; absent where nothing may be random. */
  readonly random?: RandomValues | undefined;
  /** Called with every value that a layer taps. */
  readonly onTap?: ((path: string, value: Value) => void) | undefined;
}

/**
 * A layer: writes what it computes from `x` into the scope's program, and returns the result.
 *
 * @example
 * const double: Layer = (x, { ops }) => ops.mul(x, 2);
 */
export type Layer = (x: Value, scope: Scope) => Value;

/**
 * Where a layer is in a model: its operators carry its path in their names, its variables in theirs.
 *
 * @example
 * const linear: Layer = (x, scope) => {
 *   const [, inputs] = scope.ops.shapeOf(x);
 *   return scope.ops.matMul(x, scope.parameter("weight", [inputs!, 10], heNormal()));
 * };
 */
export class Scope {
  readonly ops: Ops;
  readonly settings: ScopeSettings;
  readonly #names: Set<string>;
  readonly #mayRepeat: boolean;

  constructor(ops: Ops, settings: ScopeSettings, names: Set<string> = new Set(), mayRepeat = false) {
    this.ops = ops;
    this.settings = settings;
    this.#names = names;
    this.#mayRepeat = mayRepeat;
  }

  /** The names of the layers down to this one, `encoder.layers.0`; "" at the top. */
  get path(): string {
    return this.ops.path;
  }

  /** Whether layers behave as in training (batch statistics, dropout) or as in use. */
  get training(): boolean {
    return this.settings.training;
  }

  /** Element type of new parameters. */
  get dtype(): DType {
    return this.settings.dtype ?? "float32";
  }

  /** Random numbers that differ from step to step. @throws OptionError where the program has none. */
  get random(): RandomValues {
    const { random } = this.settings;
    if (random) return random;
    throw new OptionError(`${this.path || "scope"}: random values are for training steps, got a program without them.`);
  }

  /** Returns the scope of a part of this layer. */
  child(name: string | number): Scope {
    return new Scope(this.ops.at(this.#pathOf(String(name))), this.settings, this.#names, this.#mayRepeat);
  }

  /** Returns this scope in a mode where variables that exist are used again, so that two layers share their weights. */
  shared(): Scope {
    return new Scope(this.ops, this.settings, this.#names, true);
  }

  /** Returns this scope with other settings: evaluation behaviour for a frozen part, for example. */
  with(settings: Partial<ScopeSettings>): Scope {
    return new Scope(this.ops, { ...this.settings, ...settings }, this.#names, this.#mayRepeat);
  }

  /**
   * Declares a variable that gradients train, and returns its value.
   *
   * @throws OptionError if the path is taken: two layers need two names, or `shared()`.
   */
  parameter(name: string, shape: readonly number[], initial: Initializer | Tensor): Value {
    return this.#declare(name, { shape, dtype: dtypeOf(initial) ?? this.dtype, role: "parameter", initial });
  }

  /** Declares a variable that the layer itself keeps, such as a running mean, and returns its value. See `update`. */
  statistic(name: string, shape: readonly number[], initial: Initializer | Tensor): Value {
    return this.#declare(name, { shape, dtype: dtypeOf(initial) ?? this.dtype, role: "statistic", initial });
  }

  /** Says what a statistic of this layer becomes at the end of the step. */
  update(name: string, next: Value): void {
    this.settings.variables.update(this.#pathOf(name), next);
  }

  /** Makes a value known under a name, so that it can be had as an output without a second model. Returns the value. */
  tap(name: string, value: Value): Value {
    this.settings.onTap?.(this.#pathOf(name), value);
    return value;
  }

  #declare(name: string, declaration: Parameters<VariableSource["declare"]>[1]): Value {
    const path = this.#pathOf(name);
    if (this.#names.has(path) && !this.#mayRepeat) {
      throw new OptionError(
        `${this.path || "model"}: every variable must have a path of its own, got "${path}" twice. ` +
          "Give the layers different names (scope.child), or let them share it (scope.shared).",
      );
    }
    this.#names.add(path);
    return this.settings.variables.declare(path, declaration);
  }

  #pathOf(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }
}

function dtypeOf(initial: Initializer | Tensor): DType | undefined {
  return typeof initial === "function" ? undefined : initial.dtype;
}
