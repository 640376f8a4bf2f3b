/** The last few sessions of a program: one for each shape of batch, made when it first comes. */
import type { Session } from "../runtime/index.ts";

/** Sessions kept at a time: full and last batch, or the lengths of a few buckets of sequences. */
const MOST_SESSIONS = 4;

/** Makes what is missing, and keeps the last four. */
export class SessionCache<Compiled extends { readonly session: Session }> {
  /** By shapes, the last used last. */
  readonly #made = new Map<string, Promise<Compiled>>();

  /** Returns what was made under this key, or makes it. Throws what `make` throws, and forgets it then. */
  async for(key: string, make: () => Promise<Compiled>): Promise<Compiled> {
    const made = this.#made.get(key) ?? make();
    this.#made.delete(key);
    this.#made.set(key, made);
    try {
      await made;
    } catch (error) {
      this.#made.delete(key);
      throw error;
    }
    const [oldest] = this.#made.keys();
    if (this.#made.size > MOST_SESSIONS) await this.#drop(oldest!);
    return made;
  }

  /** Releases all sessions. */
  async release(): Promise<void> {
    for (const key of [...this.#made.keys()]) await this.#drop(key);
  }

  async #drop(key: string): Promise<void> {
    const dropped = this.#made.get(key);
    this.#made.delete(key);
    await (await dropped)?.session.release();
  }
}

/** A key of the shapes of the inputs. */
export function shapesKey(
  inputs: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): string {
  return Object.keys(inputs)
    .map((name) => given[name]!.shape.join())
    .join(";");
}
