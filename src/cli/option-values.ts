/** Reading the values of options: each parser refuses what it does not understand, which is wrong usage (exit code 2). */
import { InvalidArgumentError } from "commander";

/** Makes a parser of whole numbers from `low` to `high`, or one of `others`. */
export function wholeNumber(low: number, high: number = Number.MAX_SAFE_INTEGER, others: readonly number[] = []) {
  const range = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
  const alternatives = others.map((other) => ` or ${other}`).join("");
  return (text: string): number => {
    const value = Number(text);
    const valid = Number.isInteger(value) && ((value >= low && value <= high) || others.includes(value));
    if (text.trim() === "" || !valid) {
      throw new InvalidArgumentError(`It must be a whole number ${range}${alternatives}.`);
    }
    return value;
  };
}

/** Reads a finite number from zero. */
export function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("It must be a number from zero.");
  }
  return value;
}

/** Reads a finite number above zero. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("It must be a number above zero.");
  }
  return value;
}

/** Reads finite numbers separated by commas. */
export function numberList(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite)) throw new InvalidArgumentError("It must be numbers separated by commas.");
  return values;
}

/** A picture size as flags state it; "none" because commander takes null for a failure. */
export type PictureSizeFlag = number | readonly [number, number] | "none";

/** Reads a picture size: a length, `height,width`, or `none`. */
export function pictureSize(text: string): PictureSizeFlag {
  if (text === "none") return text;
  const values = text.split(",").map(Number);
  const [height, width] = values;
  if (!values.every((value) => Number.isInteger(value) && value > 0) || values.length > 2 || height === undefined) {
    throw new InvalidArgumentError('It must be a length in pixels, "height,width" or "none".');
  }
  return width === undefined ? height : [height, width];
}

/** Reads a duration in seconds: `90`, `90s`, `10m` or `2h`. */
export function duration(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
  if (!(seconds > 0)) throw new InvalidArgumentError("It must be a time such as 90s, 10m or 2h.");
  return seconds;
}

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Reads a size in bytes: `500kB`, `1.2MB` or `1MiB`. */
export function byteSize(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmg]?i?b)$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (BYTES[unit.toLowerCase()] ?? Number.NaN));
  if (!(bytes > 0)) throw new InvalidArgumentError("It must be a size such as 500kB, 1.2MB or 1MiB.");
  return bytes;
}

/** Reads a time in milliseconds: `3.5ms` or `0.2s`. */
export function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(text) ?? [];
  const value = Number(number) * (unit === "s" ? 1000 : 1);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a time such as 3.5ms or 0.2s.");
  return value;
}
