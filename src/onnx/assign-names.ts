/** Giving every value of a program the name it has in a file. */
import { OptionError } from "../errors.ts";
import type { Graph, Value } from "../program/index.ts";

/** What names there must be and must not be. */
export interface NamingOptions {
  /** The constants that each graph holds. */
  readonly constants: ReadonlyMap<Graph, readonly Value[]>;
  /** Names that must not be made up, because the file uses them for something else. */
  readonly reserved: Iterable<string>;
  /** Names that say something: values with others get names of one or two letters. All when absent. */
  readonly telling: ReadonlySet<string> | undefined;
}

/**
 * Returns a name for every value: its own where it is free, otherwise one made from it. The names of the model's inputs and
 * outputs are always kept. No name is used twice in a graph and the graphs inside it, as ONNX demands; graphs side by side
 * may use the same names.
 *
 * @throws OptionError if two of the model's inputs and outputs have the same name, or one has none.
 */
export function assignNames(graph: Graph, { constants, reserved, telling }: NamingOptions): Map<Value, string> {
  const naming: Naming = {
    names: new Map(),
    constants,
    avoid: new Set(reserved),
    made: new Map(),
    telling,
    shortNames: 0,
  };
  collectNames(graph, constants, naming.avoid);
  const taken = new Map<string, Value>();
  for (const value of [...graph.inputs, ...graph.outputs]) {
    const owner = taken.get(value.name);
    if (value.name === "" || (owner && owner !== value)) {
      throw new OptionError(`writeModel: inputs and outputs must have names of their own, got "${value.name}" twice.`);
    }
    taken.set(value.name, value);
    naming.names.set(value, value.name);
  }
  nameGraph(graph, naming, [new Set(taken.keys())]);
  return naming.names;
}

interface Naming {
  readonly names: Map<Value, string>;
  readonly constants: ReadonlyMap<Graph, readonly Value[]>;
  /** Names that some value or other has: made names must differ from them all. */
  readonly avoid: Set<string>;
  /** How many names were made from each base, so that thousands of nameless values take no quadratic search. */
  readonly made: Map<string, number>;
  readonly telling: ReadonlySet<string> | undefined;
  /** How many short names were tried. */
  shortNames: number;
}

/** Every value that a graph itself defines. */
function* ownValues(graph: Graph, constants: Naming["constants"]): Generator<Value> {
  yield* graph.inputs;
  yield* constants.get(graph) ?? [];
  for (const node of graph.nodes) for (const output of node.outputs) if (output) yield output;
}

function collectNames(graph: Graph, constants: Naming["constants"], names: Set<string>): void {
  for (const value of ownValues(graph, constants)) names.add(value.name);
  for (const node of graph.nodes) for (const inner of node.subgraphs) collectNames(inner, constants, names);
}

/** Names the values of a graph; `taken` are the names in use in the graphs around it and in itself. */
function nameGraph(graph: Graph, naming: Naming, taken: readonly Set<string>[]): void {
  const own = taken.at(-1)!;
  for (const value of ownValues(graph, naming.constants)) {
    if (naming.names.has(value)) continue;
    const name = naming.telling?.has(value.name) === false ? shortName(naming) : ownName(value, naming, taken);
    naming.names.set(value, name);
    own.add(name);
  }
  for (const node of graph.nodes) {
    for (const inner of node.subgraphs) nameGraph(inner, naming, [...taken, new Set<string>()]);
  }
}

function ownName(value: Value, naming: Naming, taken: readonly Set<string>[]): string {
  const isFree = value.name !== "" && !taken.some((names) => names.has(value.name));
  return isFree ? value.name : madeName(value, naming);
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The next of a, b, ... Z, aa, ba, ... that is not in use. */
function shortName(naming: Naming): string {
  for (;;) {
    let name = "";
    for (let rest = ++naming.shortNames; rest > 0; rest = Math.floor((rest - 1) / LETTERS.length)) {
      name += LETTERS[(rest - 1) % LETTERS.length];
    }
    if (!naming.avoid.has(name)) return name;
  }
}

function madeName(value: Value, { avoid, made }: Naming): string {
  const base = value.name || value.producer?.name || value.producer?.operator || "constant";
  for (let number = (made.get(base) ?? 0) + 1; ; number++) {
    const name = `${base}_${number}`;
    if (avoid.has(name)) continue;
    avoid.add(name);
    made.set(base, number);
    return name;
  }
}
