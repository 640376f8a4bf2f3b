/** Plots with one mark per layer, in the order of the model. */
import type { LayerReport } from "../../quantize/index.ts";
import { formatBits, formatDecibels } from "../format.ts";
import type { Html } from "../html.ts";
import { ceilingDecade, decades, floorDecade } from "./decades.ts";
import { openDrawing } from "./draw.ts";

/** A layer and its number in the table, from 1. */
export interface NumberedLayer {
  readonly number: number;
  readonly layer: LayerReport;
}

const WIDE = { width: 960, marginLeft: 44, marginRight: 12, marginTop: 16, marginBottom: 38 } as const;

/** Colour of a layer by the bits of its weights. */
export function bitsColour(bits: number): string {
  if (bits >= 16) return "var(--series-0)";
  return bits > 6 ? "var(--series-1)" : bits > 3 ? "var(--series-3)" : "var(--series-4)";
}

/** Returns bars of the signal-to-noise ratio after each layer, coloured by weight bits; layers not measured leave a gap. */
export async function layerSqnrPlot(layers: readonly NumberedLayer[]): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const measured = layers.filter(({ layer }) => layer.sqnrDb !== null && Number.isFinite(layer.sqnrDb));
  const value = ({ layer }: NumberedLayer): number => layer.sqnrDb ?? 0;
  const worst = [...measured].sort((a, b) => value(a) - value(b)).slice(0, 3);
  const top = Math.max(10, ...measured.map(value));
  return draw({
    ariaLabel: `Signal-to-noise ratio after each of ${measured.length} layers, in decibels; the lowest is ${formatDecibels(worst[0]?.layer.sqnrDb ?? null)}`,
    ...WIDE,
    height: 230,
    x: layerAxis(layers),
    y: { domain: [Math.min(0, ...measured.map(value)), top * 1.08], grid: true, ticks: 5, tickSize: 0, label: "dB" },
    marks: [
      Plot.rectY(measured, {
        ...layerSpan,
        y: value,
        fill: ({ layer }: NumberedLayer) => bitsColour(layer.weightBits),
        title: ({ number, layer }: NumberedLayer) => `${number}. ${layer.name}: ${formatDecibels(layer.sqnrDb)}`,
      }),
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
      Plot.text(worst, {
        x: "number",
        y: value,
        dy: -8,
        text: ({ number }: NumberedLayer) => `${number}`,
        fill: "var(--text)",
        stroke: "var(--raised)",
        strokeWidth: 3,
        fontWeight: 650,
      }),
    ],
  });
}

/** Returns bars of weight bits with a dot for the bits of the activation that leaves the layer; float as 16. */
export async function layerBitsPlot(layers: readonly NumberedLayer[]): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const shown = (bits: number): number => Math.min(bits, 16);
  const anyFloat = layers.some(({ layer }) => layer.weightBits >= 16 || layer.activationBits >= 16);
  return draw({
    ariaLabel: `Bits of weights and activations of ${layers.length} layers`,
    ...WIDE,
    height: anyFloat ? 200 : 160,
    x: layerAxis(layers),
    y: {
      domain: [0, anyFloat ? 17 : 9],
      ticks: anyFloat ? [0, 4, 8, 16] : [0, 2, 4, 6, 8],
      tickFormat: (bits: number) => (bits === 0 ? "0" : formatBits(bits)),
      grid: true,
      tickSize: 0,
      label: "bits",
    },
    marks: [
      Plot.rectY(layers, {
        ...layerSpan,
        y: ({ layer }: NumberedLayer) => shown(layer.weightBits),
        fill: ({ layer }: NumberedLayer) => bitsColour(layer.weightBits),
        title: ({ number, layer }: NumberedLayer) =>
          `${number}. ${layer.name}: weights ${formatBits(layer.weightBits)}, activation ${formatBits(layer.activationBits)}`,
      }),
      Plot.dot(layers, {
        x: "number",
        y: ({ layer }: NumberedLayer) => shown(layer.activationBits),
        r: layers.length > 150 ? 1.5 : 3,
        fill: "var(--series-2)",
        stroke: "var(--raised)",
      }),
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
    ],
  });
}

/** Returns a scatter of the error that the clipping method predicted against the one measured; on the diagonal both agree. */
export async function errorPlot(layers: readonly NumberedLayer[]): Promise<Html | null> {
  const points = layers.flatMap(({ number, layer }) => {
    const { predictedMse = null, measuredMse = null } = layer.activation ?? {};
    return predictedMse !== null && measuredMse !== null && predictedMse > 0 && measuredMse > 0
      ? [{ number, name: layer.name, predictedMse, measuredMse }]
      : [];
  });
  if (points.length < 2) return null;
  const { Plot, draw } = await openDrawing();
  const all = points.flatMap((point) => [point.predictedMse, point.measuredMse]);
  const domain = [floorDecade(Math.min(...all) / 1.2), ceilingDecade(Math.max(...all) * 1.2)] as const;
  const axis = {
    type: "log",
    domain,
    ticks: decades(...domain),
    tickFormat: powerOfTen,
    tickSize: 4,
    grid: true,
  } as const;
  return draw({
    ariaLabel: `Predicted against measured mean squared error of ${points.length} activations`,
    width: 400,
    height: 320,
    marginLeft: 56,
    marginBottom: 42,
    marginTop: 22,
    x: { ...axis, label: "predicted" },
    y: { ...axis, label: "measured" },
    marks: [
      Plot.link([{ from: domain[0], to: domain[1] }], {
        x1: "from",
        y1: "from",
        x2: "to",
        y2: "to",
        stroke: "currentColor",
        strokeDasharray: "3,4",
      }),
      Plot.dot(points, {
        x: "predictedMse",
        y: "measuredMse",
        r: 3.5,
        fill: "var(--series-1)",
        fillOpacity: 0.75,
        title: (point: (typeof points)[number]) => `${point.number}. ${point.name}`,
      }),
    ],
  });
}

const layerSpan = {
  x1: ({ number }: NumberedLayer): number => number - 0.38,
  x2: ({ number }: NumberedLayer): number => number + 0.38,
} as const;

function layerAxis(layers: readonly NumberedLayer[]) {
  const last = layers.at(-1)?.number ?? 1;
  return {
    domain: [(layers[0]?.number ?? 1) - 0.8, last + 0.8],
    label: "layer",
    ticks: layerTicks(layers),
    tickSize: 0,
  } as const;
}

/** Whole numbers, at most about twelve. */
function layerTicks(layers: readonly NumberedLayer[]): number[] {
  const last = layers.at(-1)?.number ?? 1;
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((candidate) => last / candidate <= 13) ?? 1000;
  return layers.map(({ number }) => number).filter((number) => number % step === 0);
}

/** `0.01`, or `10⁻⁵` where that is shorter. */
function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -2 && exponent <= 3) return String(10 ** exponent).slice(0, 5);
  const digits = String(exponent).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!));
  return `10${digits}`;
}
