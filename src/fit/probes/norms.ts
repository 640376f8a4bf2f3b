/** Norms of layers and of all layers together. */

/** Returns the path of the layer that a variable belongs to: its own without the last name; "model" at the top. */
export function layerOf(path: string): string {
  const dot = path.lastIndexOf(".");
  return dot < 0 ? "model" : path.slice(0, dot);
}

/** Adds up squares by layer. */
export class Norms {
  readonly #squares = new Map<string, number>();

  add(layer: string, squares: number): void {
    this.#squares.set(layer, (this.#squares.get(layer) ?? 0) + squares);
  }

  /** Returns the root of the sum of all squares as `<prefix>total`, and that of each layer's. */
  values(prefix = ""): Record<string, number> {
    const layers = [...this.#squares];
    const total = layers.reduce((sum, [, squares]) => sum + squares, 0);
    return Object.fromEntries(
      [["total", total] as const, ...layers].map(([layer, squares]) => [prefix + layer, Math.sqrt(squares)]),
    );
  }
}
