import { describe, expect, it } from "vitest";
import { float32 } from "../tensor/index.ts";
import { contactSheet } from "./contact-sheet.ts";

/** Pictures of one number each. */
function plain(numbers: readonly number[], shape: readonly number[]) {
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    [numbers.length, ...shape],
    numbers.flatMap((number) => Array<number>(size).fill(number)),
  );
}

describe("contactSheet", () => {
  it("puts pictures in rows on white, gaps between them, and 2.5 deviations around the mean from black to white", () => {
    // Mean 0, deviation 1: 0.5 is at 127.5 (1 + 0.5 / 2.5).
    const { size, channels, bytes } = contactSheet(plain([-1, 1], [1, 2, 3]));
    expect(size).toEqual([2, 8]);
    expect(channels).toBe(1);
    const [dark, light] = [Math.round(127.5 * (1 - 1 / 2.5)), Math.round(127.5 * (1 + 1 / 2.5))];
    const row = [dark, dark, dark, 255, 255, light, light, light];
    expect([...bytes]).toEqual([...row, ...row]);
  });

  it("shows colours of both layouts alike, each channel stretched by itself", () => {
    const first = float32(
      [2, 3, 4, 4],
      Array.from({ length: 96 }, (_, i) => Math.sin(i) * (1 + (Math.floor(i / 16) % 3))),
    );
    const last = float32(
      [2, 4, 4, 3],
      Array.from({ length: 96 }, (_, i) => {
        const [picture, place, channel] = [Math.floor(i / 48), Math.floor(i / 3) % 16, i % 3];
        return first.data[picture * 48 + channel * 16 + place] as number;
      }),
    );
    expect(contactSheet(first)).toEqual(contactSheet(last));
    const scaled = float32(
      [2, 3, 4, 4],
      Array.from(first.data as Float32Array, (value, i) => value * (1 + (Math.floor(i / 16) % 3)) - 5),
    );
    const [a, b] = [contactSheet(first).bytes, contactSheet(scaled).bytes];
    // Floats round: a step of a byte at most.
    expect(Math.max(...a.map((byte, i) => Math.abs(byte - b[i]!)))).toBeLessThanOrEqual(1);
  });

  it("keeps to 64 pictures and to 1024 pixels, but shows one of any size; what never changes is gray", () => {
    expect(contactSheet(plain(Array(100).fill(0), [1, 4, 4])).size).toEqual([4 * 6 - 2, 16 * 6 - 2]);
    expect(contactSheet(plain(Array(4).fill(0), [1, 300, 300])).size).toEqual([2 * 302 - 2, 3 * 302 - 2]);
    const one = contactSheet(plain([7], [1, 2, 1100]));
    expect(one.size).toEqual([2, 1100]);
    expect(new Set(one.bytes)).toEqual(new Set([128]));
  });
});
