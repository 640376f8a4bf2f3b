/** Which value a name stands for, at some place of a file being read. */
import { ModelFormatError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import type { ExternalDataSource } from "./external-data.ts";

/** What reading needs to know besides the record itself. */
export interface ReadContext {
  readonly external: ExternalDataSource | undefined;
  /** How messages begin: the file's name. */
  readonly where: string;
}

/** The names that can be used at some place of a file. */
export class Scope {
  readonly #values = new Map<string, Value>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** Returns the value of this graph itself that has a name. */
  own(name: string): Value | undefined {
    return this.#values.get(name);
  }

  /** Returns the value a name stands for, here or in an outer graph. */
  find(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#outer?.find(name);
  }

  /** Adds a value under its name, or another. */
  add(value: Value, name: string = value.name): Value {
    this.#values.set(name, value);
    return value;
  }
}

/** The error for a name that stands for nothing. */
export function neverProduced(who: string, name: string, context: ReadContext): ModelFormatError {
  return new ModelFormatError(`${context.where}: ${who} must be a value of the graph, but nothing produces "${name}".`);
}
