/** A round through the library, the same in Node and in a page. */
import { countMacs, float32, type Runtime, readModel, writeModel } from "../../src/index.ts";

export interface LibraryResult {
  /** Multiply-accumulates of one picture. */
  readonly macs: number;
  /** The classes' scores of four made-up pictures. */
  readonly scores: readonly number[];
}

/** Reads the example's convnet, writes it again, and runs what was written on four pictures of waves. */
export async function runLibrary(bytes: Uint8Array, runtime: Runtime): Promise<LibraryResult> {
  const program = readModel(bytes);
  const session = await runtime.createSession(writeModel(program));
  try {
    const waves = Float32Array.from({ length: 4 * 28 * 28 }, (_, i) => Math.sin(i / 5) * Math.cos(i / 300));
    const { logits } = await session.run({ input: float32([4, 1, 28, 28], waves) });
    return { macs: countMacs(program).total, scores: [...(logits!.data as Float32Array)] };
  } finally {
    await session.release();
  }
}
