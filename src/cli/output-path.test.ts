import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileError, OptionError } from "../errors.ts";
import { assertWritable, defaultOutputPath } from "./output-path.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modicum-output-"));
  await writeFile(join(folder, "model.onnx"), "model");
  await writeFile(join(folder, "other.onnx"), "other");
  await symlink(join(folder, "model.onnx"), join(folder, "link.onnx"));
  await link(join(folder, "model.onnx"), join(folder, "hard.onnx"));
  await mkdir(join(folder, "sub"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("where results may be written", () => {
  it("names the output after the input and the bits", () => {
    expect(defaultOutputPath("models/net.onnx", "w4a8")).toBe("models/net-w4a8.onnx");
    expect(defaultOutputPath("net", "w8a8")).toBe("net-w8a8.onnx");
  });

  it.each(["model.onnx", "sub/../model.onnx", "link.onnx", "hard.onnx"])(
    "refuses the input itself as %s",
    async (name) => {
      const input = join(folder, "model.onnx");
      const check = assertWritable(join(folder, name), { option: "--output", inputs: [input], force: true });
      await expect(check).rejects.toThrow(OptionError);
      await expect(check).rejects.toThrow("the output must be another file than the input");
    },
  );

  it("refuses a file that exists unless it may be replaced", async () => {
    const rules = { option: "--output", inputs: [join(folder, "model.onnx")] };
    const path = join(folder, "other.onnx");
    await expect(assertWritable(path, { ...rules, force: false })).rejects.toThrow("Use --force to replace it.");
    await expect(assertWritable(path, { ...rules, force: true })).resolves.toBeUndefined();
  });

  it("refuses folders that do not exist, are files, or stand in the file's place", async () => {
    const rules = { option: "--report", inputs: [], force: true };
    await expect(assertWritable(join(folder, "none", "a.html"), rules)).rejects.toThrow("the folder must exist");
    await expect(assertWritable(join(folder, "other.onnx", "a.html"), rules)).rejects.toThrow("which is a file");
    await expect(assertWritable(join(folder, "sub"), rules)).rejects.toThrow(FileError);
  });
});
