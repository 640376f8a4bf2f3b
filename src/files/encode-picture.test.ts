import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodePicture } from "./decode-picture.ts";
import { encodePng } from "./encode-picture.ts";

it("encodePng keeps every byte of a picture", async () => {
  const bytes = Uint8Array.from({ length: 5 * 7 * 3 }, (_, i) => (i * 37) % 256);
  const folder = await mkdtemp(join(tmpdir(), "modicum-png-"));
  const path = join(folder, "picture.png");
  await writeFile(path, await encodePng({ size: [5, 7], channels: 3, bytes }));
  const read = await decodePicture(path, { resize: null, crop: null, interpolation: "bilinear" });
  await rm(folder, { recursive: true });
  expect(read.size).toEqual([5, 7]);
  expect([...read.bytes]).toEqual([...bytes]);
});
