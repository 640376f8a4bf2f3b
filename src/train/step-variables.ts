/** The variables of a step that is being built: inputs that hold them before, outputs that hold them after. */
import type { Ops, Variable, VariableDeclaration, VariableSource } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";

/** Declares each variable as an input of the program, and remembers what it becomes. */
export class StepVariables implements VariableSource {
  readonly #ops: Ops;
  readonly #variables = new Map<string, Variable>();
  readonly #next = new Map<string, Value>();

  readonly #trains: (path: string) => boolean;

  /** @param trains Whether the parameter at a path is trained. */
  constructor(ops: Ops, trains: (path: string) => boolean = () => true) {
    this.#ops = ops.at("");
    this.#trains = trains;
  }

  /** All variables, in the order of their declaration. */
  get all(): readonly Variable[] {
    return [...this.#variables.values()];
  }

  /** The variables that gradients train. */
  get parameters(): readonly Variable[] {
    return this.all.filter(({ role, path }) => role === "parameter" && this.#trains(path));
  }

  declare(path: string, declaration: VariableDeclaration): Value {
    const known = this.#variables.get(path);
    if (known) {
      assertSame(known, declaration);
      return known.value;
    }
    const value = this.#ops.input(path, declaration.dtype, declaration.shape);
    this.#variables.set(path, { ...declaration, path, value });
    return value;
  }

  update(path: string, next: Value): void {
    const variable = this.#variables.get(path);
    if (!variable) throw new OptionError(`variables: what is updated must be declared first, got "${path}".`);
    const shape = this.#ops.shapeOf(next);
    if (shape.join() !== variable.shape.join() || next.dtype !== variable.dtype) {
      throw new OptionError(
        `variables: "${path}" must stay ${variable.dtype} [${variable.shape.join(", ")}], ` +
          `got ${next.dtype} [${shape.join(", ")}] as its next value.`,
      );
    }
    this.#next.set(path, next);
  }

  /** What the variable becomes; itself when nobody said anything. */
  nextOf(variable: Variable): Value {
    return this.#next.get(variable.path) ?? variable.value;
  }
}

function assertSame(known: Variable, declaration: VariableDeclaration): void {
  if (known.shape.join() === declaration.shape.join() && known.dtype === declaration.dtype) return;
  throw new OptionError(
    `variables: a shared variable must have one shape, got "${known.path}" as ${known.dtype} [${known.shape.join(", ")}] ` +
      `and as ${declaration.dtype} [${declaration.shape.join(", ")}].`,
  );
}
