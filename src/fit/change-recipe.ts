/** Changing recipes key by key, and telling which keys differ. */
import { OptionError } from "../errors.ts";

/**
 * Returns a recipe in which the key at a path is another: `"optimizer.momentum"`, or `"data.augment.0.padding"` in lists.
 *
 * Where `kind` becomes another, the keys that belong to the kind before are dropped. Undefined takes a key away.
 *
 * @param recipe As it is written, not checked yet; it is not changed.
 * @throws OptionError if the path leads through something that has no keys.
 * @example
 * const wider = withKey(recipes.resnet20, "model.width", 2);
 */
export function withKey<Written extends object>(recipe: Written, path: string, value: unknown): Written {
  return changed(recipe, path.split("."), value, path) as Written;
}

function changed(place: unknown, [key, ...rest]: readonly string[], value: unknown, path: string): unknown {
  if (key === undefined) return value;
  if (key === "") throw new OptionError(`recipe: keys must be joined by single dots, got "${path}".`);
  if (place !== undefined && (typeof place !== "object" || place === null)) {
    throw new OptionError(`recipe: ${path} must lead through objects, got ${JSON.stringify(place)} before "${key}".`);
  }
  if (Array.isArray(place)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index > place.length) {
      throw new OptionError(`recipe: ${path} must name a place from 0 to ${place.length} of a list, got "${key}".`);
    }
    const list = [...place];
    list[index] = changed(list[index], rest, value, path);
    return list;
  }
  const object = (place ?? {}) as Record<string, unknown>;
  const next = changed(Object.hasOwn(object, key) ? object[key] : undefined, rest, value, path);
  if (key === "kind" && object.kind !== undefined && object.kind !== next) return { kind: next };
  // Not an assignment: "__proto__" must be a key like any other.
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== key), [key, next]]);
}

/** A key that two recipes disagree on; undefined where one does not have it. */
export interface RecipeDifference {
  /** Such as `optimizer.momentum`. */
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Returns the keys in which two recipes (or any two JSON values) differ. */
export function recipeDifferences(before: unknown, after: unknown): RecipeDifference[] {
  return differences(before, after, []);
}

function differences(before: unknown, after: unknown, path: readonly string[]): RecipeDifference[] {
  if (isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
  }
  return Object.is(before, after) ? [] : [{ key: path.join("."), before, after }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
