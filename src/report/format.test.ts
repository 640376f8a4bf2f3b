import { expect, test } from "vitest";
import {
  formatBits,
  formatBytes,
  formatCount,
  formatFixed,
  formatSeconds,
  formatSigned,
  formatValue,
  keepUnits,
} from "./format.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.00 kB"],
  [2_984_112, "2.98 MB"],
  [999_600, "1.00 MB"],
  [3.2e9, "3.20 GB"],
])("%d bytes are written as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("counts are exact below ten thousand, and have a prefix above", () => {
  expect([864, 9999, 12_288, 300_774_272].map(formatCount)).toEqual(["864", "9,999", "12.3 k", "301 M"]);
});

test("negative numbers have a true minus sign, unknown ones a dash", () => {
  expect([formatFixed(-1.25, 1), formatFixed(null, 1), formatFixed(Number.POSITIVE_INFINITY, 1)]).toEqual([
    "−1.3",
    "–",
    "∞",
  ]);
});

test("differences have a sign unless they round to zero", () => {
  expect([formatSigned(0.42, 1), formatSigned(-0.42, 1), formatSigned(0.01, 1)]).toEqual(["+0.4", "−0.4", "0.0"]);
});

test("small and large values are in scientific notation", () => {
  expect([0, 1.234, 0.00012, 250_000].map(formatValue)).toEqual(["0", "1.23", "1.20e−4", "2.50e+5"]);
});

test("bits of 16 and more are float, means keep two decimals", () => {
  expect([4, 5.4567, 16, 32].map(formatBits)).toEqual(["4", "5.46", "float", "float"]);
});

test("long times are in minutes", () => {
  expect([0.5, 14.2, 245].map(formatSeconds)).toEqual(["0.500 s", "14.2 s", "4 min 05 s"]);
});

test("a unit stays on the line of its number, words do not", () => {
  expect(keepUnits("14.0 MB became 82.2 % on 500 samples ± 1.6")).toBe(
    "14.0\u00a0MB became 82.2\u00a0% on 500 samples ±\u00a01.6",
  );
});
