/** Variables: the numbers that a program carries from one run to the next. */
import type { Value } from "../program/index.ts";
import type { DType, Random, Tensor } from "../tensor/index.ts";

/**
 * Returns the numbers a variable starts with, in row-major order.
 *
 * @param shape The variable's shape.
 * @param random A generator of the variable's own: the same seed and path give the same numbers, whatever else is there.
 */
export type Initializer = (shape: readonly number[], random: Random) => ArrayLike<number>;

/** A start that follows from another variable's: the norm of a weight, for example. */
export interface DerivedStart {
  /** Path of the other variable, which is declared in the same program. */
  readonly from: string;
  /** Returns the numbers to start with, in row-major order. */
  readonly numbers: (start: Tensor) => ArrayLike<number>;
}

/**
 * What a variable is for. Parameters are what training changes by gradients; statistics are what layers keep (running means);
 * slots are what optimizers keep (momentum); counters are numbers of steps and seeds.
 */
export type VariableRole = "parameter" | "statistic" | "slot" | "counter";

/** What is said of a variable when it is declared. */
export interface VariableDeclaration {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly role: VariableRole;
  /** Numbers to start with: from an initializer, a tensor of that shape and type, or what another variable starts with. */
  readonly initial: Initializer | Tensor | DerivedStart;
}

/** A declared variable of a program that is being built. */
export interface Variable extends VariableDeclaration {
  /** Where the variable is: the names of the layers down to it and its own, `encoder.layers.0.weight`. */
  readonly path: string;
  /** The variable's numbers at the start of a run. */
  readonly value: Value;
}

/**
 * Where variables come from while a program is built: inputs of a training step, constants of an exported model, or values
 * put in their place (sampled weights).
 */
export interface VariableSource {
  /** Returns the value of the variable at `path`, declaring it if it is new. */
  declare(path: string, declaration: VariableDeclaration): Value;
  /** Says what the variable becomes at the end of the run. */
  update(path: string, next: Value): void;
}
