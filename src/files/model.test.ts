import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FileError, ModelFormatError, OptionError } from "../errors.ts";
import { type ModelFile, modelSizeBytes, writeModel } from "../onnx/index.ts";
import { constantOf, Graph, Node, Program, Value } from "../program/index.ts";
import { float32, toNumbers } from "../tensor/index.ts";
import { writeFileAtomically, writeFilesAtomically } from "./atomic-write.ts";
import { readModelFile, writeModelFile } from "./model.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "modicum-model-"));
});
afterAll(() => rm(root, { recursive: true }));

const weights = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));

/** y [N, 250] = x [N, 4] times weights [4, 250]. */
function linear(externalData: "auto" | { location: string }): ModelFile {
  const x = new Value("x", "float32", ["N", 4]);
  const w = new Value("w", "float32", [4, 250]);
  w.constant = constantOf(float32([4, 250], weights));
  const y = new Value("y", "float32", ["N", 250]);
  const nodes = [new Node("MatMul", [x, w], [y])];
  return writeModel(new Program(new Graph("linear", { inputs: [x], outputs: [y], nodes, initializers: [w] })), {
    externalData,
  });
}

async function newFolder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

test("a model comes back as it was written, with its inputs and classes", async () => {
  const path = join(await newFolder("plain"), "linear.onnx");
  await writeModelFile(path, linear("auto"));
  const { program, inputs, classCount, file, paths } = await readModelFile(path);
  expect(inputs).toMatchObject([{ name: "x", dtype: "float32", shape: ["N", 4] }]);
  expect([program.graph.nodes.length, classCount, file.external, paths]).toEqual([1, 250, [], [path]]);
  expect(await readdir(join(root, "plain"))).toEqual(["linear.onnx"]);
});

test("a model with weights beside it is written and read whole", async () => {
  const folder = await newFolder("external");
  const path = join(folder, "linear.onnx");
  await writeModelFile(path, linear({ location: "weights/linear.bin" }));
  const { program, file, paths } = await readModelFile(path);
  expect(paths).toEqual([path, join(folder, "weights/linear.bin")]);
  expect(file.external.map(({ location, sizeBytes }) => [location, sizeBytes])).toEqual([["weights/linear.bin", 4000]]);
  expect(modelSizeBytes(file)).toBe(file.bytes.length + 4000);
  expect(Float32Array.from(toNumbers(program.graph.nodes[0]!.input(1).constant!.load()))).toEqual(weights);
  const copy = join(await newFolder("external-copy"), "linear.onnx");
  await writeModelFile(copy, file, { inputs: paths });
  expect(await readFile(join(root, "external-copy/weights/linear.bin"))).toEqual(await readFile(paths[1]!));
});

test("missing, truncated and escaping weights are refused with the model's path", async () => {
  const folder = await newFolder("bad-external");
  const path = join(folder, "linear.onnx");
  await writeModelFile(path, linear({ location: "linear.bin" }));
  await truncate(join(folder, "linear.bin"), 3999);
  await expect(readModelFile(path)).rejects.toThrow(ModelFormatError);
  await expect(readModelFile(path)).rejects.toThrow(`${path}: initializer "`);
  await rm(join(folder, "linear.bin"));
  await expect(readModelFile(path)).rejects.toThrow(`${path}: the weight file "linear.bin" must be in`);
  await symlink(join(root, "external/weights/linear.bin"), join(folder, "linear.bin"));
  await expect(readModelFile(path)).rejects.toThrow(`${path}: the weight file "linear.bin" must lie inside`);
});

test("what is no model, no file or not there is refused by path", async () => {
  const folder = await newFolder("none");
  await writeFile(join(folder, "text.onnx"), "hello");
  await expect(readModelFile(join(folder, "text.onnx"))).rejects.toThrow(
    `${join(folder, "text.onnx")}: the file must be`,
  );
  await expect(readModelFile(folder)).rejects.toThrow(`${folder}: must be readable, got a folder.`);
  const missing = join(folder, "x.onnx");
  await expect(readModelFile(missing)).rejects.toThrow(`${missing}: must be readable, got no such file or folder.`);
  await expect(readModelFile(missing)).rejects.toThrow(FileError);
});

test("an input is not overwritten, by whatever name or link", async () => {
  const folder = await newFolder("inputs");
  const path = join(folder, "linear.onnx");
  const file = linear({ location: "linear.bin" });
  await writeModelFile(path, file);
  const { paths } = await readModelFile(path);
  await symlink(path, join(folder, "link.onnx"));
  for (const output of [path, join(folder, ".", "linear.onnx"), join(folder, "link.onnx")]) {
    await expect(writeModelFile(output, linear("auto"), { inputs: paths })).rejects.toThrow(OptionError);
  }
  await expect(writeModelFile(join(folder, "new.onnx"), file, { inputs: paths })).rejects.toThrow(
    "its weight file must not exist yet",
  );
  expect((await readdir(folder)).sort()).toEqual(["linear.bin", "linear.onnx", "link.onnx"]);
});

test("a write that fails midway leaves the old files and nothing else", async () => {
  const folder = await newFolder("failing");
  await writeFileAtomically(join(folder, "a"), "old a");
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const failing = writeFilesAtomically([
    { path: join(folder, "a"), chunks: () => [new TextEncoder().encode("new a")] },
    {
      path: join(folder, "b"),
      *chunks() {
        yield new Uint8Array(100_000);
        throw full;
      },
    },
  ]);
  await expect(failing).rejects.toThrow(`${join(folder, "b")}: must be writable, got no space left on the disk.`);
  expect(await readdir(folder)).toEqual(["a"]);
  expect(await readFile(join(folder, "a"), "utf8")).toBe("old a");
});

test("an existing file is replaced; folders that are missing, and folders in place of files, are refused", async () => {
  const folder = await newFolder("replace");
  await writeFileAtomically(join(folder, "a"), "old");
  await writeFileAtomically(join(folder, "a"), "new");
  expect(await readFile(join(folder, "a"), "utf8")).toBe("new");
  await expect(writeFileAtomically(join(folder, "none/a"), "x")).rejects.toThrow(
    "must be writable, got no such file or",
  );
  await expect(writeFileAtomically(folder, "x")).rejects.toThrow(
    `${folder}: must be a file to write to, got a folder.`,
  );
});
