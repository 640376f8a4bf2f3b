import { expect, test } from "vitest";
import { CIFAR_10, CIFAR_100, cifarLabel, cifarPixels, cifarRecordCount } from "./cifar.ts";

test("a CIFAR-10 record is a label and three planes", () => {
  const record = Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 9 : 1 + Math.floor((i - 1) / 1024)));
  expect(cifarLabel(record, CIFAR_10, "x")).toBe(9);
  expect([...cifarPixels(record, CIFAR_10).subarray(0, 6)]).toEqual([1, 2, 3, 1, 2, 3]);
});

test("a CIFAR-100 record has the fine label second", () => {
  const record = new Uint8Array(3074);
  record.set([19, 99]);
  expect(cifarLabel(record, CIFAR_100, "x")).toBe(99);
  expect(cifarPixels(record, CIFAR_100).length).toBe(3072);
});

test("a file that ends within a record, and a label that is no class, are refused", () => {
  expect(cifarRecordCount(3073 * 4, CIFAR_10, "x.bin")).toBe(4);
  expect(() => cifarRecordCount(3073 * 4 - 1, CIFAR_10, "x.bin")).toThrow(
    "x.bin: a CIFAR-10 file must hold records of 3073 bytes, got 12291 bytes. It may be truncated.",
  );
  expect(() => cifarLabel(Uint8Array.of(10), CIFAR_10, "x.bin")).toThrow("x.bin: labels must be 0..9, got 10.");
});
