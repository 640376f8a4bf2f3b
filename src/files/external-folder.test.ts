import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ModelFormatError } from "../errors.ts";
import { externalFromFolder } from "./external-folder.ts";

const root = mkdtempSync(path.join(tmpdir(), "modicum-external-"));
afterAll(() => rmSync(root, { recursive: true }));
const folder = path.join(root, "model");
mkdirSync(path.join(folder, "weights"), { recursive: true });
writeFileSync(path.join(root, "secret"), "secret");
writeFileSync(path.join(folder, "data.bin"), Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]));
writeFileSync(path.join(folder, "weights", "..strange"), "inside");
symlinkSync("../secret", path.join(folder, "escape"));
symlinkSync("..", path.join(folder, "up"));
symlinkSync("data.bin", path.join(folder, "alias"));
const source = externalFromFolder(folder, "some/model.onnx");

/** Returns the message of the error, which must be one about the model. */
function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelFormatError);
    expect((error as Error).message).toMatch(/^some\/model\.onnx: /);
    return (error as Error).message;
  }
  return "no error";
}

describe("external data in a folder", () => {
  it("reads the bytes asked for, or the rest of the file", () => {
    expect([...source.read("data.bin", 2, 3)]).toEqual([2, 3, 4]);
    expect([...source.read("data.bin", 6, undefined)]).toEqual([6, 7]);
    expect(source.sizeBytes("data.bin")).toBe(8);
  });

  it("reads through sub-folders, Windows separators, and links that stay inside", () => {
    expect(source.sizeBytes("weights/..strange")).toBe(6);
    expect(source.sizeBytes("weights\\..strange")).toBe(6);
    expect(source.sizeBytes("./alias")).toBe(8);
  });

  it.each([
    "../secret",
    "weights/../../secret",
    "..\\secret",
    "/etc/passwd",
    "C:\\secret",
    "C:secret",
    "\\\\host\\share",
    "a\0b",
  ])("refuses the location %j", (location) => {
    expect(refusal(() => source.sizeBytes(location))).toContain("must be a path inside the model's folder");
  });

  it("refuses links that leave the folder, as the last step or on the way", () => {
    expect(refusal(() => source.read("escape", 0, 1))).toContain("must lie inside the model's folder");
    expect(refusal(() => source.read("up/secret", 0, 1))).toContain("must lie inside the model's folder");
  });

  it("says which file is missing, and which is too short", () => {
    expect(refusal(() => source.sizeBytes("absent"))).toBe(
      `some/model.onnx: the weight file "absent" must be in the model's folder ${folder}, got none. Keep it beside the model.`,
    );
    expect(refusal(() => source.read("data.bin", 4, 5))).toContain("must have bytes 4 to 9, got only 8");
    expect(refusal(() => source.read("data.bin", 9, undefined))).toContain("got only 8");
  });

  it("refuses a folder in place of a file", () => {
    expect(refusal(() => source.sizeBytes("weights"))).toContain("must be a file");
  });
});
