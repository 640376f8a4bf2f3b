/** The recipe that a command line describes: a name, a file or a model to fine-tune, and changes of single keys. */
import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import { DataError, FileError } from "../errors.ts";
import { findRecipe, parseRecipe, type Recipe, type RecipeInput, withKey, withNetworkSizes } from "../fit/index.ts";

/** Options that change a recipe. */
export interface RecipeFlags {
  readonly data?: string;
  readonly epochs?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly precision?: string;
  readonly validation?: number;
  readonly limit?: number;
  readonly set?: readonly RecipeChange[];
}

/** A key of a recipe and its new value. */
export type RecipeChange = readonly [key: string, value: unknown];

/** Reads `key.path=value`; the value is JSON, or else text. For commander, which gives what came before. */
export function recipeChange(text: string, before: readonly RecipeChange[] = []): RecipeChange[] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("It must be a key of the recipe and a value, such as seed=1.");
  return [...before, [text.slice(0, equals), jsonOrText(text.slice(equals + 1))]];
}

function jsonOrText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // null takes the key away.
    return value === null ? undefined : value;
  } catch {
    return text;
  }
}

/**
 * Reads a recipe as it is written: a name, or a JSON file.
 *
 * @throws OptionError if the name is unknown. FileError, DataError if the file cannot be read or is no JSON.
 */
export async function writtenRecipe(nameOrFile: string): Promise<RecipeInput> {
  if (!/\.json$|[/\\]/i.test(nameOrFile)) return findRecipe(nameOrFile);
  let text: string;
  try {
    text = await readFile(nameOrFile, "utf8");
  } catch (cause) {
    throw new FileError(`${nameOrFile}: must be a readable recipe, got ${(cause as NodeJS.ErrnoException).code}.`, {
      cause,
    });
  }
  try {
    return JSON.parse(text) as RecipeInput;
  } catch (cause) {
    throw new DataError(`${nameOrFile}: must be JSON, got text that is not (${(cause as Error).message}).`, { cause });
  }
}

/**
 * Applies the options to a recipe as it is written, and checks the result.
 *
 * @throws OptionError naming the keys at fault.
 */
export function changedRecipe(written: RecipeInput, flags: RecipeFlags, where: string): Recipe {
  const family = typeof written.data?.set === "string" ? written.data.set.split(":")[0]! : undefined;
  const changes: (readonly [string, unknown])[] = [
    ["data.set", flags.data === undefined ? undefined : withKind(flags.data, family)],
    ["epochs", flags.epochs],
    ["batch.size", flags.batch],
    ["learningRate", flags.learningRate],
    ["seed", flags.seed],
    ["precision.kind", flags.precision],
    ["data.validation", flags.validation],
    ["data.limit", flags.limit],
  ];
  let changed = written;
  for (const [key, value] of changes) if (value !== undefined) changed = withKey(changed, key, value);
  for (const [key, value] of flags.set ?? []) changed = withKey(changed, key, value);
  return withNetworkSizes(parseRecipe(changed, where));
}

/** A path alone is one of the kind of data that the recipe was made for. */
function withKind(text: string, family: string | undefined): string {
  const isPathAlone = !text.includes(":") && /[/\\.]/.test(text);
  return isPathAlone && family !== undefined ? `${family}:${text}` : text;
}
