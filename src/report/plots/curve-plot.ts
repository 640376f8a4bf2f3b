/** Curves of several runs over steps, epochs or time: what the reader sees before, or without, the page's script. */
import type { Html } from "../html.ts";
import { ceilingDecade, decades, floorDecade } from "./decades.ts";
import { openDrawing } from "./draw.ts";

/** How a run is drawn. */
export interface CurveStyle {
  /** A CSS colour. */
  readonly colour: string;
  /** As in `stroke-dasharray`; undefined for a solid line. */
  readonly dashes: string | undefined;
}

/** An axis of a curve plot. */
export interface CurveScale {
  readonly type: "linear" | "log";
  readonly domain: readonly [number, number];
}

/** What is drawn. */
export interface CurvePlotParts {
  /** In words, for readers who do not see it. */
  readonly description: string;
  readonly x: CurveScale & { readonly label: string };
  readonly y: CurveScale;
  readonly curves: readonly {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly style: CurveStyle;
  }[];
}

/** Where curves lie within the picture, in its own units. */
export const CURVE_FRAME = { width: 440, height: 250, left: 48, right: 14, top: 12, bottom: 38 } as const;

/** Curves with at most this many points get a dot at each. */
export const MOST_DOTS = 40;

/** Returns axes with curves; curves have the class `curves`, so that a script can draw them anew. */
export async function curvePlot({ description, x, y, curves }: CurvePlotParts): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const { width, height, left, right, top, bottom } = CURVE_FRAME;
  return draw({
    ariaLabel: description,
    width,
    height,
    marginLeft: left,
    marginRight: right,
    marginTop: top,
    marginBottom: bottom,
    x: { ...x, ...ticksOf(x), tickSize: 4, labelArrow: "none", labelAnchor: "right" },
    y: { ...y, ...ticksOf(y), tickSize: 0, grid: true, label: null },
    marks: [
      Plot.ruleY([y.domain[0]], { stroke: "currentColor", strokeOpacity: 0.5 }),
      ...curves.flatMap((curve) => {
        const points = curve.y.flatMap((value, i) => (isInside(value, y) ? [{ x: curve.x[i]!, y: value }] : []));
        const { colour, dashes } = curve.style;
        const line = {
          x: "x",
          y: "y",
          stroke: colour,
          strokeWidth: 1.8,
          className: "curves",
          ...(dashes && { strokeDasharray: dashes }),
        };
        return [
          Plot.line(points, line),
          ...(points.length <= MOST_DOTS
            ? [Plot.dot(points, { x: "x", y: "y", r: 2.4, fill: colour, className: "curves" })]
            : []),
        ];
      }),
    ],
  });
}

/** Returns an axis from 0, or the smallest value if that is far from 0, to the largest. */
export function linearScale(values: readonly number[]): CurveScale {
  const [low, high] = extent(values);
  if (low >= 0 && low < 0.4 * high) return { type: "linear", domain: [0, high * 1.04 || 1] };
  const padding = 0.05 * (high - low || Math.abs(high) || 1);
  return { type: "linear", domain: [low - padding, high + padding] };
}

/** Returns a logarithmic axis of the values above zero, seven decades at most; undefined where there are none. */
export function logScale(values: readonly number[]): CurveScale | undefined {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return undefined;
  const [low, high] = extent(positive);
  return { type: "log", domain: [Math.max(low, high * 1e-7) / 1.15, high * 1.15] };
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
}

function isInside(value: number, { type, domain }: CurveScale): boolean {
  return type === "linear" || value >= domain[0];
}

function ticksOf({ type, domain }: CurveScale) {
  const [low, high] = domain;
  // Ticks of an axis that does not begin at 0 differ in later digits only.
  const digits = 3 + Math.max(0, Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low))));
  if (type === "linear") return { ticks: 5, tickFormat: (value: number) => shortNumber(value, digits) };
  return {
    ticks: high / low > 50 ? decades(low, high) : steps(low, high),
    tickFormat: (value: number) => shortNumber(value, 3),
  };
}

/** Returns 1, 2 and 5 times powers of ten in [low, high]; the values between too where the range is narrow. */
function steps(low: number, high: number): number[] {
  const found = [1, 2, 5].flatMap((factor) => {
    const values: number[] = [];
    for (let power = floorDecade(low); power <= ceilingDecade(high); power *= 10) values.push(factor * power);
    return values;
  });
  const inside = found.filter((value) => value >= low && value <= high).sort((a, b) => a - b);
  return inside.length >= 2 ? inside : [low, Math.sqrt(low * high), high].map((value) => Number(value.toPrecision(2)));
}

/** `0.05`, `1.5k`, `10⁻⁵`. */
function shortNumber(value: number, digits: number): string {
  if (value === 0) return "0";
  if (value < 0) return `−${shortNumber(-value, digits)}`;
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(digits))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(digits))}k`;
  if (value >= 1e-3) return String(Number(value.toPrecision(digits)));
  const [factor, exponent] = value.toExponential(1).split("e") as [string, string];
  const power = `10${exponent.replace("+", "").replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!))}`;
  return Number(factor) === 1 ? power : `${Number(factor)}·${power}`;
}
