import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeEvaluation, madePosition, madeSteps } from "../made-run.cases.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { EventFiles } from "./event-files.ts";
import { scalarsRecord, sessionStartRecord, versionRecord } from "./event-record.ts";
import { EventSchema, SessionLog_SessionStatus } from "./generated/event_pb.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("CRC-32C", () => {
  it.each([
    ["no bytes", new Uint8Array(0), 0],
    ["the check value of the catalogue of CRCs", ascii("123456789"), 0xe3069283],
    ["32 zeros (RFC 3720, B.4)", new Uint8Array(32), 0x8a9136aa],
    ["32 ones (RFC 3720, B.4)", new Uint8Array(32).fill(255), 0x62a8ab43],
    ["0 to 31 (RFC 3720, B.4)", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ])("of %s is the published one", (_what, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it("is masked as TensorBoard's own masked_crc32c does it", () => {
    expect(maskedCrc32c(ascii("123456789"))).toBe(0xc78ab0e5);
  });
});

describe("an event record", () => {
  // Written by TensorBoard 2.21's EventFileWriter classes; test/resume/tensorboard_reads.py prints them.
  it("has the bytes that TensorBoard's own writer makes", () => {
    expect(hex(versionRecord(1.5e12))).toBe(GOLDEN.version);
    expect(hex(scalarsRecord({ time: 1.5e12 + 250, step: 300 }, [{ tag: "loss/train", value: 0.1 }]))).toBe(
      GOLDEN.scalar,
    );
    expect(hex(sessionStartRecord({ time: 1.5e12, step: 301 }))).toBe(GOLDEN.start);
  });
});

describe("the event files of a run", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "modicum-tensorboard-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("hold every number of its events; after a resume a new file makes readers forget what came later", async () => {
    const path = join(folder, "a");
    const first = new EventFiles(path);
    await first.append({ ...madePosition(0), type: "end", reason: "interrupted" });
    for (const event of [madeSteps(1), madeEvaluation(2), madeSteps(3)]) await first.append(event);
    await first.close();
    const second = new EventFiles(path);
    second.forgetFrom(3);
    await second.append({
      ...madePosition(3),
      type: "probe",
      name: "norms",
      values: { weight: 2, broken: Number.NaN },
    });
    await second.close();
    const [earlier, later] = readdirSync(path)
      .sort()
      .map((name) => readRecords(join(path, name)));
    expect(earlier).toEqual([
      "version brain.Event:2",
      `1 loss/train=1 accuracy/train=50 learning_rate=${Math.fround(0.1)} throughput=1001`,
      "2 loss/test=1 accuracy/test=65 accuracy_top5/test=99",
      expect.stringMatching(/^3 loss\/train=0.333/),
    ]);
    expect(later).toEqual(["version brain.Event:2", "3 start", "3 norms/weight=2"]);
  });

  it("keep their order when the clock is set back", async () => {
    const path = join(folder, "b");
    for (const time of [2e12, 1e12, 5]) {
      const files = new EventFiles(path);
      await files.append({ ...madeSteps(1), time });
      await files.close();
    }
    expect(
      readdirSync(path)
        .sort()
        .map((name) => name.split(".")[3]),
    ).toEqual(["2000000000", "2000000001", "2000000002"]);
    writeFileSync(join(path, "notes.txt"), "not an event file");
  });
});

/** Reads an event file, checking each checksum, as lines of text. */
function readRecords(path: string): string[] {
  const bytes = new Uint8Array(readFileSync(path));
  const view = new DataView(bytes.buffer);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    lines.push(describeEvent(data));
    at += 16 + length;
  }
  return lines;
}

function describeEvent(data: Uint8Array): string {
  const { what, step } = fromBinary(EventSchema, data);
  if (what.case === "fileVersion") return `version ${what.value}`;
  if (what.case === "sessionLog") {
    expect(what.value.status).toBe(SessionLog_SessionStatus.START);
    return `${step} start`;
  }
  const values = what.value?.value ?? [];
  return `${step} ${values.map(({ tag, value }) => `${tag}=${value.value}`).join(" ")}`;
}

const GOLDEN = {
  version: "1800000000000000a37f4b2209000000c00b5ad6411a0d627261696e2e4576656e743a324ca9a464",
  scalar: "2100000000000000017becf609000010c00b5ad64110ac022a130a110a0a6c6f73732f747261696e15cdcccc3d4f8f54f1",
  start: "100000000000000095fbfe1809000000c00b5ad64110ad023a020801a62462fc",
};
