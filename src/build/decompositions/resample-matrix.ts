/** Resampling along one axis as a matrix: every mode of Resize is a linear map. */

/** How an axis is resampled, in Resize's own words. */
export interface Resampling {
  readonly length: number;
  readonly resized: number;
  /** resized / length, as far as rounding allows. */
  readonly scale: number;
  /** "nearest", "linear" or "cubic". */
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  /** Interval that tf_crop_and_resize takes, as a share of the axis. */
  readonly crop: readonly [start: number, end: number];
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
  /** Whether shrinking widens the filter. */
  readonly antialias: boolean;
}

/** Returns, for each place of the resized axis, the weight of each element; all zero for places outside a crop. */
export function resampleMatrix(axis: Resampling): number[][] {
  return Array.from({ length: axis.resized }, (_, place) => {
    const row = new Array<number>(axis.length).fill(0);
    const position = positionOf(axis, place);
    if (axis.coordinates === "tf_crop_and_resize" && (position < 0 || position > axis.length - 1)) return row;
    for (const [element, weight] of tapsOf(axis, position)) row[element]! += weight;
    return row;
  });
}

/** The place on the original axis. ONNX Runtime computes in float32, and so does this: half-way places depend on it. */
function positionOf(axis: Resampling, place: number): number {
  const { length, resized, scale, crop } = axis;
  const float = Math.fround;
  const step = float(scale);
  const halfPixel = () => float(float(float(place + 0.5) / step) - 0.5);
  switch (axis.coordinates) {
    case "asymmetric":
      return float(place / step);
    case "pytorch_half_pixel":
      return resized > 1 ? halfPixel() : 0;
    case "tf_half_pixel_for_nn":
      return float(float(place + 0.5) / step);
    case "align_corners":
      return resized === 1 ? 0 : float(float(place * (length - 1)) / (resized - 1));
    case "half_pixel_symmetric": {
      const adjustment = float(resized / float(step * length));
      const offset = float(float(length / 2) * float(1 - adjustment));
      // Here ONNX Runtime goes on in float64.
      return float(offset + (place + 0.5) / step - 0.5);
    }
    case "tf_crop_and_resize": {
      const [start, end] = crop;
      if (resized <= 1) return float(0.5 * (start + end) * (length - 1));
      return float(start * (length - 1) + (place * (end - start) * (length - 1)) / (resized - 1));
    }
    default:
      return halfPixel();
  }
}

/**
 * Elements and their weights: those within reach of the filter, which shrinking widens if it is to smooth. Elements beyond the
 * ends are the last ones, or are left out.
 */
function tapsOf(axis: Resampling, position: number): (readonly [element: number, weight: number])[] {
  const { length, mode, scale, cubicCoefficient, excludeOutside } = axis;
  const inside = (element: number) => Math.min(Math.max(element, 0), length - 1);
  if (mode === "nearest") return [[inside(nearestTo(position, axis.nearest)), 1]];
  const stretch = axis.antialias ? Math.min(scale, 1) : 1;
  const reach = (mode === "linear" ? 1 : 2) / stretch;
  const weightAt = (distance: number) =>
    mode === "linear" ? Math.max(0, 1 - distance) : cubicWeight(distance, cubicCoefficient);
  const first = Math.floor(position - reach + 1);
  const count = Math.floor(position + reach + 1) - first;
  const taps = Array.from({ length: count }, (_, index): readonly [number, number] => {
    const element = first + index;
    const left = excludeOutside && element !== inside(element);
    return [inside(element), left ? 0 : weightAt(Math.abs(position - element) * stretch)];
  });
  const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
  return taps.map(([element, weight]) => [element, weight / total]);
}

function nearestTo(position: number, rounding: string): number {
  if (rounding === "floor") return Math.floor(position);
  if (rounding === "ceil") return Math.ceil(position);
  // Half-way: down for round_prefer_floor, up for round_prefer_ceil.
  return rounding === "round_prefer_ceil" ? Math.floor(position + 0.5) : Math.ceil(position - 0.5);
}

/** Keys' cubic convolution kernel at a distance from its centre; `a` is its slope at 1. */
function cubicWeight(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
  return 0;
}
