/** Many pictures as one, to look at. */
import { type Pixels, pictureInputOf } from "../data/index.ts";
import type { Tensor } from "../tensor/index.ts";

/** Longest side of a sheet in pixels, most pictures in it, and in a row; the gap between them in pixels. */
const LONGEST = 1024;
const MOST = 64;
const MOST_IN_ROW = 16;
const GAP = 2;

/** Deviations from the mean at which a channel is black, and on the other side white. */
const REACH = 2.5;

/**
 * Returns the first pictures side by side on white, as many as fit on 1024 x 1024 pixels and at most 64: those that a model takes,
 * whose numbers are normalized in a way that nobody knows. Each channel is stretched so that 2.5 deviations around its mean,
 * over those pictures, go from black to white; with other than 3 channels the first one is shown in gray.
 *
 * @param pictures float32 [count, channels, height, width] or [count, height, width, channels], all of one size.
 */
export function contactSheet({ shape, data }: Tensor): Pixels {
  const [count, ...lengths] = shape as readonly [number, number, number, number];
  const { layout } = pictureInputOf({ name: "pictures", dtype: "float32", shape })!;
  const [channels, height, width] = layout === "nchw" ? lengths : [lengths[2]!, lengths[0]!, lengths[1]!];
  const columns = fitting(width!, Math.min(MOST_IN_ROW, count));
  const rows = fitting(height!, Math.ceil(Math.min(MOST, count) / columns));
  const together = Math.min(count, rows * columns);
  const shown = channels === 3 ? 3 : 1;
  const size = [rows * (height! + GAP) - GAP, columns * (width! + GAP) - GAP] as const;
  const bytes = new Uint8Array(size[0] * size[1] * shown).fill(255);
  const places = height! * width!;
  const at = (picture: number, channel: number, place: number): number =>
    Number(
      data[picture * channels! * places + (layout === "nchw" ? channel * places + place : place * channels! + channel)],
    );
  for (let channel = 0; channel < shown; channel++) {
    const { mean, deviation } = momentsOf(together, places, (picture, place) => at(picture, channel, place));
    const scale = deviation > 0 ? 127.5 / (REACH * deviation) : 0;
    for (let picture = 0; picture < together; picture++) {
      const top = Math.floor(picture / columns) * (height! + GAP);
      const left = (picture % columns) * (width! + GAP);
      for (let place = 0; place < places; place++) {
        const pixel = (top + Math.floor(place / width!)) * size[1] + left + (place % width!);
        const value = 127.5 + scale * (at(picture, channel, place) - mean);
        bytes[pixel * shown + channel] = Math.round(Math.min(255, Math.max(0, value)));
      }
    }
  }
  return { size, channels: shown, bytes };
}

/** How many of `wanted` lengths and the gaps between them fit on a sheet: at least one. */
function fitting(length: number, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor((LONGEST + GAP) / (length + GAP))));
}

function momentsOf(
  count: number,
  places: number,
  at: (picture: number, place: number) => number,
): { mean: number; deviation: number } {
  const average = (of: (value: number) => number): number => {
    let sum = 0;
    for (let picture = 0; picture < count; picture++) {
      for (let place = 0; place < places; place++) sum += of(at(picture, place));
    }
    return sum / (count * places);
  };
  const mean = average((value) => value);
  return { mean, deviation: Math.sqrt(average((value) => (value - mean) ** 2)) };
}
