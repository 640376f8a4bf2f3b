import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importsOf, packageOf, resolvedPath } from "./support/imports.ts";
import { layerViolations } from "./support/layers.ts";
import { REPOSITORY, type SourceFile, sourceFiles } from "./support/source-files.ts";

const sources = sourceFiles("src");
const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8"));

/** Longest file that is still read in one go; generated code is not read. */
const LINE_LIMIT = 400;

function violationsOf(path: string, text: string): string[] {
  return layerViolations([{ path, text }]);
}

describe("the folders of src/", () => {
  it("import one way: lower ranks only, through the other folder's index", () => {
    expect(layerViolations(sources)).toEqual([]);
  });

  it("import only packages the user gets: dependencies, not development tools", () => {
    const known = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
    const unknown = sources
      .filter(({ path }) => !/\.(test|cases)\.ts$/.test(path))
      .flatMap((file) => importsOf(file).map(({ specifier }) => `${file.path}: ${packageOf(specifier) ?? "."}`))
      .filter((line) => !/: (\.|node:.*)$/.test(line) && !known.has(line.replace(/^.*: /, "")));
    expect(unknown).toEqual([]);
  });

  it("load no engine, picture decoder or plotting library with the library itself", () => {
    expect(sources.some(({ path }) => path === "src/index.ts")).toBe(true);
    expect([...packagesLoadedBy("src/index.ts", sources)].filter((name) => HEAVY.test(name))).toEqual([]);
  });

  it(`keep every file below ${LINE_LIMIT} lines`, () => {
    const long = sources.filter(
      ({ path, text }) => !path.includes("/generated/") && text.split("\n").length > LINE_LIMIT,
    );
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe("the check itself", () => {
  it.each([
    [
      "a higher rank",
      "src/tensor/a.ts",
      'import { x } from "../onnx/index.ts";',
      "tensor (rank 0) may not import onnx",
    ],
    ["an equal rank", "src/onnx/a.ts", 'import { x } from "../ops/index.ts";', "onnx (rank 2) may not import ops"],
    ["types only", "src/onnx/a.ts", 'import type { X } from "../cli/index.ts";', "may not import cli"],
    ["a type by name", "src/onnx/a.ts", 'type X = import("../cli/index.ts").X;', "may not import cli"],
    ["a re-export", "src/onnx/a.ts", 'export { x } from "../cli/index.ts";', "may not import cli"],
    ["a lazy import", "src/onnx/a.ts", 'await import("../cli/index.ts");', "may not import cli"],
    ["past an index", "src/onnx/a.ts", 'import { x } from "../tensor/dtype.ts";', "import tensor/index.ts"],
    ["its own index", "src/onnx/a.ts", 'import { x } from "./index.ts";', "not its index"],
    ["an unknown folder", "src/cli/a.ts", 'import { x } from "../lab/index.ts";', "folder lab has no rank"],
    ["outside src", "src/cli/a.ts", 'import { x } from "../../test/support/layers.ts";', "nothing outside src/"],
    ["from errors.ts", "src/errors.ts", 'import { x } from "./tensor/index.ts";', "errors.ts imports nothing"],
    ["Node in the core", "src/data/a.ts", 'import { readFileSync } from "node:fs";', "for Node"],
    ["sharp in the core", "src/data/a.ts", 'const sharp = await import("sharp");', "for Node"],
    ["the native engine in web.ts", "src/runtime/web.ts", 'await import("onnxruntime-node");', "for Node"],
    [
      "an engine outside runtime/",
      "src/quantize/a.ts",
      'import type { Tensor } from "onnxruntime-common";',
      "only runtime/",
    ],
    ["Node from the library", "src/index.ts", 'export { nodeRuntime } from "./runtime/node.ts";', "in a browser"],
  ])("sees %s", (_what, path, text, reason) => {
    expect(violationsOf(path, text)).toEqual([expect.stringContaining(reason)]);
  });

  it("lets through what is allowed", () => {
    expect(violationsOf("src/cli/a.ts", 'import { nodeRuntime } from "../runtime/node.ts"; import "node:fs";')).toEqual(
      [],
    );
    expect(violationsOf("src/onnx/a.ts", 'import { Tensor } from "../tensor/index.ts"; import "./b.ts";')).toEqual([]);
    expect(
      violationsOf("src/tensor/a.test.ts", 'import { x } from "../onnx/read-model.ts"; import "node:fs";'),
    ).toEqual([]);
  });

  it("sees what a chain of imports loads, and not what it loads later", () => {
    const files = [
      { path: "src/index.ts", text: 'export { a } from "./a/index.ts";' },
      { path: "src/a/index.ts", text: 'export { a } from "./a.ts";' },
      { path: "src/a/a.ts", text: 'import sharp from "sharp"; import type { X } from "zod"; await import("fflate");' },
    ];
    expect([...packagesLoadedBy("src/index.ts", files)]).toEqual(["sharp"]);
  });
});

const HEAVY = /^(onnxruntime-.*|highs|sharp|@observablehq\/plot|linkedom|commander|cli-progress|node:.*)$/;

/** Returns the packages that importing a file loads at once. */
function packagesLoadedBy(entry: string, files: readonly SourceFile[]): Set<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const [packages, seen, open] = [new Set<string>(), new Set<string>(), [entry]];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path);
    if (file === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { specifier, kind } of importsOf(file)) {
      if (kind !== "static") continue;
      const name = packageOf(specifier);
      if (name === undefined) open.push(resolvedPath(path, specifier));
      else packages.add(name);
    }
  }
  return packages;
}
