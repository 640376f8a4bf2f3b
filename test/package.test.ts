import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY } from "./support/source-files.ts";

const { name, version, exports, files } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly files: readonly string[];
};

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

/** What npm would publish, compiled, in a folder of its own without the sources. */
describe("the published package", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "modicum-package-"));
    const compiler = join(REPOSITORY, "node_modules", ".bin", "tsc");
    const config = join(REPOSITORY, "tsconfig.build.json");
    execFileSync(compiler, ["-p", config, "--outDir", join(folder, "dist")], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    cpSync(join(REPOSITORY, "package.json"), join(folder, "package.json"));
    cpSync(join(REPOSITORY, "bin"), join(folder, "bin"), { recursive: true });
    symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has declarations that follow from each file alone, but for schemas, whose types are inferred", () => {
    const compiler = join(REPOSITORY, "node_modules", ".bin", "tsc");
    const config = join(REPOSITORY, "tsconfig.build.json");
    const run = spawnSync(compiler, ["-p", config, "--isolatedDeclarations", "--noEmit", "--pretty", "false"], {
      cwd: REPOSITORY,
      encoding: "utf8",
    });
    const files = [...run.stdout.matchAll(/^(src\/[^(]+)\(/gm)].map(([, path]) => path!);
    // Zod makes the type of what a schema reads, and the names of recipes are their type; by hand they would be there twice.
    const isInferred = (path: string) => path === "src/fit/recipes.ts" || /from "zod"/.test(read(path));
    expect([...new Set(files)].filter((path) => !isInferred(path))).toEqual([]);
    expect(files).toContain("src/fit/recipe.ts");
  });

  /** Runs Node in the package's folder, without tsx, and returns what it prints. */
  function node(...args: string[]): string {
    return execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" }).trim();
  }

  it("has the folders it needs among its files", () => {
    expect(files).toEqual(expect.arrayContaining(["bin", "dist"]));
  });

  it.each(Object.keys(exports).filter((path) => !path.endsWith(".json")))("can be imported: %s", (path) => {
    const specifier = JSON.stringify(path.replace(/^\./, name));
    const script = `console.log(Object.keys(await import(${specifier})).length)`;
    expect(Number(node("--input-type=module", "--eval", script))).toBeGreaterThan(0);
  });

  it("runs as a command", () => {
    expect(node("bin/modicum.js", "--version")).toBe(version);
    expect(node("bin/modicum.js", "--help")).toContain("Usage: modicum");
  });

  it("computes: reads nothing of the checkout to make a session", () => {
    const script = `
      import { nodeRuntime } from "${name}/runtime/node";
      const runtime = await nodeRuntime({ device: "wasm", threads: 1 });
      console.log(runtime.description);`;
    expect(node("--input-type=module", "--eval", script)).toMatch(/^onnxruntime-web /);
  });
});

describe("the checkout", () => {
  it("runs the command from its sources", () => {
    const help = execFileSync(process.execPath, [join(REPOSITORY, "bin", "modicum.js"), "--help"], {
      encoding: "utf8",
    });
    expect(help).toContain("Usage: modicum");
  });
});
