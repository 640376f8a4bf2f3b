/** The JSON file of a checkpoint. */
import { z } from "zod";
import { DataError } from "../../errors.ts";
import type { Progress } from "../../fit/index.ts";

const schema = z.object({
  /** Version of the format. */
  version: z.literal(1),
  kind: z.enum(["last", "best"]),
  progress: z.looseObject({
    step: z.int().min(0),
    epoch: z.int().min(0),
    batch: z.int().min(0),
    seconds: z.number(),
    best: z.looseObject({ epoch: z.number(), step: z.int(), top1: z.number(), loss: z.number() }).nullable(),
    evaluationsSinceBest: z.int().min(0),
    unreported: z.looseObject({ steps: z.int().min(0), sums: z.record(z.string(), z.number()) }),
    plateau: z
      .looseObject({ best: z.number().nullable(), waited: z.int().min(0), falls: z.int().min(0) })
      .exactOptional(),
  }),
  /** Of the .safetensors file, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Size of events.jsonl when the checkpoint was taken: a resumed run goes on from there. */
  eventsBytes: z.int().min(0),
});

/** The content of a checkpoint's JSON file. */
export type CheckpointRecord = Readonly<Omit<z.output<typeof schema>, "progress">> & { readonly progress: Progress };

/** Reads the text of a checkpoint's JSON file. @throws DataError if it is damaged or of another version. */
export function parseCheckpointRecord(text: string, where: string): CheckpointRecord {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${where}: must be JSON, got: ${(cause as Error).message}.`, { cause });
  }
  const { data, error } = schema.safeParse(content);
  if (error) {
    const [issue] = error.issues;
    throw new DataError(
      `${where}: must be a checkpoint of version 1, got a problem at "${issue!.path.join(".")}": ${issue!.message}.`,
    );
  }
  return data;
}
