/** What language models end with. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import * as nn from "../nn/index.ts";
import type { ModelOptions } from "./model.ts";

/** The child that the embedding of symbols is. */
export const SYMBOLS = "symbols";

/**
 * Returns the head: the one that was asked for, the embedding again (`tiedEmbedding`), or the published one.
 *
 * @throws OptionError if both a head and the embedding are asked for.
 */
export function languageHead(name: string, options: ModelOptions, published: (classes: number) => Layer): Layer {
  const { classes, head, tiedEmbedding = false } = options;
  if (head && tiedEmbedding) {
    throw new OptionError(`${name}: a model must have one head, got head and tiedEmbedding. Leave out one of them.`);
  }
  if (!tiedEmbedding) return (x, scope) => (head ?? published)(classes)(x, scope.child("head"));
  // The linear layer finds its weight [classes, features] declared: the embedding's.
  return (x, scope) => nn.linear(classes, { bias: false })(x, scope.child(SYMBOLS).shared());
}
