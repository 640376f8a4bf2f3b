import { describe, expect, it } from "vitest";
import { OptionError, UnsupportedError } from "../errors.ts";
import type { Program } from "../program/index.ts";
import { quantize } from "../quantize/index.ts";
import { programOf, runtime, weights } from "../quantize/small-models.cases.ts";
import type { Tensor } from "../tensor/index.ts";
import { synthesizePictures } from "./picture-synthesis.ts";
import { type ChannelMoments, momentsOf, network, networkOf, stripes } from "./synthesis.cases.ts";

const { program, known } = await networkOf(stripes(64, 1));
const SHORT = { runtime, count: 16, batch: 16, iterations: 60 } as const;

/** Means in deviations, and ratios of deviations: 0 and 1 where the pictures match. */
async function distances(pictures: Tensor, to: readonly ChannelMoments[] = known) {
  const found = await momentsOf(program, pictures);
  const channels = to.flatMap(({ mean, variance }, layer) =>
    mean.map((mu, c) => ({
      shift: Math.abs(found[layer]!.mean[c]! - mu) / Math.sqrt(variance[c]!),
      ratio: Math.sqrt(found[layer]!.variance[c]! / variance[c]!),
    })),
  );
  return {
    shift: Math.max(...channels.map(({ shift }) => shift)),
    log: Math.max(...channels.map(({ ratio }) => Math.abs(Math.log(ratio)))),
  };
}

describe("synthesizePictures", () => {
  it("makes pictures whose statistics are those that the normalizations know, from noise whose are not", async () => {
    const { pictures, mismatch } = await synthesizePictures(program, SHORT);
    expect(pictures.shape).toEqual([16, 3, 8, 8]);
    expect(mismatch.before).toBeGreaterThan(0.2);
    expect(mismatch.after).toBeLessThan(0.005);
    const { shift, log } = await distances(pictures);
    expect(shift).toBeLessThan(0.1);
    expect(log).toBeLessThan(0.1);
  });

  it("comes as close to them as other pictures of the kind do, and other kinds of picture do not", async () => {
    const { pictures } = await synthesizePictures(program, SHORT);
    const made = await distances(pictures);
    const others = await distances(stripes(16, 2));
    expect(made.shift).toBeLessThan(others.shift);
    expect(made.log).toBeLessThan(others.log);
  });

  it("matches what the model says: with statistics of the wrong channels the pictures are wrong", async () => {
    const rotated = known.map(({ mean, variance }) => ({
      mean: [...mean.slice(1), mean[0]!],
      variance: [...variance.slice(1), variance[0]!],
    }));
    const wrong = await synthesizePictures(network(rotated), SHORT);
    const right = await synthesizePictures(program, SHORT);
    expect((await distances(wrong.pictures)).log).toBeGreaterThan(3 * (await distances(right.pictures)).log);
    expect(wrong.mismatch.after).toBeGreaterThan(3 * right.mismatch.after);
  });

  it("gives the same pictures for the same seed, others for another, and others in each batch", async () => {
    const few = { ...SHORT, count: 8, batch: 4, iterations: 3 } as const;
    const [a, b, c] = [
      await synthesizePictures(program, few),
      await synthesizePictures(program, few),
      await synthesizePictures(program, { ...few, seed: 1 }),
    ];
    expect(a.pictures).toEqual(b.pictures);
    expect(a.pictures.data).not.toEqual(c.pictures.data);
    const half = a.pictures.size / 2;
    expect(a.pictures.data.slice(0, half)).not.toEqual(a.pictures.data.slice(half));
  });

  it("gives the pictures one by one, or as many at a time as the model takes; whole batches of these", async () => {
    const few = { runtime, count: 5, batch: 4, iterations: 1 };
    expect(await shapesOf(await synthesizePictures(program, few))).toEqual(Array(5).fill([1, 3, 8, 8]));
    const fixed = network(known, [2, 3, 8, 8]);
    const pairs = await synthesizePictures(fixed, few);
    expect(pairs.count).toBe(6);
    expect(await shapesOf(pairs)).toEqual(Array(3).fill([2, 3, 8, 8]));
  });

  it("calibrates a quantization, whose report says where the pictures came from", async () => {
    const calibration = await synthesizePictures(program, { runtime, count: 4, iterations: 5, seed: 3 });
    const { report } = await quantize(program, { runtime, calibration });
    expect(report.calibration).toMatchObject({
      source: "4 pictures synthesized from batch-norm statistics (seed 3)",
      samples: 4,
    });
  });

  it("takes one step a batch when the time is over before it starts, and says what it reached", async () => {
    const steps: number[] = [];
    const { mismatch, count } = await synthesizePictures(program, {
      ...SHORT,
      count: 8,
      batch: 4,
      deadlineMs: performance.now(),
      onProgress: ({ done }) => void steps.push(done),
    });
    expect(steps).toEqual([0, 60, 120]);
    expect(count).toBe(8);
    expect(mismatch.after).toBe(mismatch.before);
  });

  it("stops at an abort with its reason", async () => {
    const controller = new AbortController();
    const stopped = synthesizePictures(program, {
      ...SHORT,
      signal: controller.signal,
      onProgress: ({ done }) => void (done === 2 && controller.abort(new Error("enough"))),
    });
    await expect(stopped).rejects.toThrow("enough");
  });

  it("refuses models that say nothing of their pictures, and what to do", async () => {
    const folded = programOf({ x: ["N", 3, 8, 8] }, (e, { x }) => [e.emit("Conv", [x!, weights("w", [4, 3, 3, 3])])]);
    const message = /must have batch normalizations with running statistics, got none.*give calibration data/;
    await expect(synthesizePictures(folded, SHORT)).rejects.toThrow(message);
    await expect(synthesizePictures(folded, SHORT)).rejects.toThrow(UnsupportedError);
  });

  it("refuses pictures of unknown size and other inputs", async () => {
    const open: Program = network(known, ["N", 3, "H", "W"]);
    await expect(synthesizePictures(open, SHORT)).rejects.toThrow(
      "must have one float32 input [batch, channels, height, width] whose lengths but the batch are numbers, got x float32 [N, 3, H, W]",
    );
  });

  it.each(["count", "batch", "iterations"])("refuses a %s that is no whole number above 0", async (name) => {
    await expect(synthesizePictures(program, { ...SHORT, [name]: 0 })).rejects.toThrow(OptionError);
    await expect(synthesizePictures(program, { ...SHORT, [name]: 1.5 })).rejects.toThrow(`${name} must be`);
  });
});

async function shapesOf(data: { batches(): AsyncIterable<Readonly<Record<string, Tensor>>> }) {
  const shapes: (readonly number[])[] = [];
  for await (const { x } of data.batches()) shapes.push(x!.shape);
  return shapes;
}
