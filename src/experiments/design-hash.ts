/** A short name for everything that decides what an experiment finds. */
import { createHash } from "node:crypto";

/** Returns 12 hexadecimal digits that change whenever the value does; the order of keys does not matter. */
export function designHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 12);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
