/** A priority queue of numbered items, cheapest first, in arrays that are made once. */

/** A binary heap: adding costs O(1) on average, taking O(log n). Far cheaper than sorting where few of many are taken. */
export class CheapestFirst {
  readonly #items: Uint32Array;
  readonly #prices: Float64Array;
  #size = 0;

  /** @param capacity Most items it can hold at a time. */
  constructor(capacity: number) {
    this.#items = new Uint32Array(capacity);
    this.#prices = new Float64Array(capacity);
  }

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** Price of the item that `take` would return. */
  get leastPrice(): number {
    return this.#prices[0]!;
  }

  /** Forgets all items. */
  clear(): void {
    this.#size = 0;
  }

  /** Adds an item. */
  add(item: number, price: number): void {
    const prices = this.#prices;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (prices[parent]! <= price) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#items[at] = item;
    prices[at] = price;
  }

  /** Removes the cheapest item and returns it. There must be one. */
  take(): number {
    const taken = this.#items[0]!;
    const last = --this.#size;
    const prices = this.#prices;
    const price = prices[last]!;
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && prices[child + 1]! < prices[child]!) child++;
      if (prices[child]! >= price) break;
      this.#move(child, at);
      at = child;
    }
    this.#items[at] = this.#items[last]!;
    prices[at] = price;
    return taken;
  }

  #move(from: number, to: number): void {
    this.#items[to] = this.#items[from]!;
    this.#prices[to] = this.#prices[from]!;
  }
}
