/** Numbers as people read them. One place, so that every page, table and card says them the same way. */

/** What stands for a number that is not known. */
export const UNKNOWN = "–";

const MINUS = "−";

/** `13.97 MB`: decimal units, three or four significant digits. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : significant(value, 3)} ${units[unit]}`;
}

/** `3.22 M`: a count with a decimal prefix above 10,000. */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000) return withMinus(count.toLocaleString("en-US", { maximumFractionDigits: 2 }));
  const prefixes = ["", "k", "M", "G", "T"];
  let value = count;
  let prefix = 0;
  while (Math.abs(value) >= 999.5 && prefix < prefixes.length - 1) {
    value /= 1000;
    prefix++;
  }
  return withMinus(`${significant(value, 3)} ${prefixes[prefix]}`);
}

/** A fixed number of decimals, with a true minus sign; `–` for null and NaN. */
export function formatFixed(value: number | null, decimals: number): string {
  if (value === null || Number.isNaN(value)) return UNKNOWN;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  return withMinus(value.toFixed(decimals));
}

/** As `formatFixed`, with a plus sign for positive numbers: for differences. */
export function formatSigned(value: number, decimals: number): string {
  const text = formatFixed(value, decimals);
  return Number(value.toFixed(decimals)) > 0 ? `+${text}` : text;
}

/** `82.2 %`. */
export function formatPercent(percent: number | null, decimals = 1): string {
  return percent === null ? UNKNOWN : `${formatFixed(percent, decimals)} %`;
}

/** `21.4 dB`. */
export function formatDecibels(decibels: number | null): string {
  return decibels === null ? UNKNOWN : `${formatFixed(decibels, 1)} dB`;
}

/** `3.12 ms`: three significant digits. */
export function formatMilliseconds(milliseconds: number | null): string {
  return milliseconds === null ? UNKNOWN : `${significant(milliseconds, 3)} ms`;
}

/** `12.3 s`, `4 min 05 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${significant(seconds, 3)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** Three significant digits, in scientific notation when very small or large: for errors and ranges. */
export function formatValue(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return formatFixed(value, 0);
  const size = Math.abs(value);
  if (value !== 0 && (size < 0.001 || size >= 100_000)) return withMinus(value.toExponential(2));
  return withMinus(significant(value, 3));
}

/** Bits: `4`, `3.75`, or `float` for 32 and 16. */
export function formatBits(bits: number): string {
  return bits >= 16 ? "float" : withMinus(String(Number(bits.toFixed(2))));
}

/** Puts no-break spaces between numbers and their units, for text that will be wrapped. */
export function keepUnits(text: string): string {
  return text.replace(/(?<=\d) (?=[%×A-Za-z]{1,2}\b|[%×])|(?<=±) (?=\d)/g, "\u00a0");
}

function significant(value: number, digits: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(digits));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toFixed(Math.min(decimals, 12));
}

function withMinus(text: string): string {
  return text.replaceAll("-", MINUS);
}
