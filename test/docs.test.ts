import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND_NAMES, commandDefinition, withOptionTables } from "../scripts/option-tables.ts";
import { type MethodOptions, methodFromFlags } from "../src/cli/quantize-options.ts";
import { runMain } from "../src/cli/run-main.cases.ts";
import * as errors from "../src/errors.ts";
import { resolveSettings } from "../src/quantize/index.ts";
import type { Runtime } from "../src/runtime/index.ts";
import { BROWSER_TIMEOUT_MS, runInBrowser } from "./support/browser.ts";
import { describeUnless, reasonWithoutBrowser, reasonWithoutOnnxRuntimeNode } from "./support/engines.ts";
import {
  anchors,
  codeBlocks,
  type Document,
  documents,
  inlineCode,
  linkTargets,
  sectionOf,
  shellCommands,
  tableWith,
} from "./support/markdown.ts";
import { REPOSITORY, sourceFiles } from "./support/source-files.ts";

const EXAMPLE = join(REPOSITORY, "examples", "fashion-mnist");
const all = documents();
const document = (path: string): Document => all.find((one) => one.path === path)!;
const commandLine = document("docs/cli.md");
const guide = document("docs/quantization.md");
/** What a user reads; contributors' pages also name files that are still to be written. */
const forUsers = all.filter(({ path }) => path === "README.md" || path.startsWith("docs/"));
const packageJson = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, { readonly types: string } | string>>;
  readonly scripts: Readonly<Record<string, string>>;
};

describe.each(all)("$path", (page) => {
  it("links only to files and headings that are there", () => {
    expect(linkTargets(page.text).flatMap((target) => brokenLink(page, target))).toEqual([]);
  });

  it("calls commands and scripts that exist, with flags they accept", async () => {
    const shell = codeBlocks(page.text).filter(({ language }) => language === "sh");
    const commands = shell.flatMap(({ code }) => shellCommands(code));
    const indented = [...page.text.matchAll(/^ {4}(modicum .*)$/gm)].flatMap((match) => shellCommands(match[1]!));
    const faults = [];
    for (const words of [...commands, ...indented]) faults.push(...(await commandFault(words)));
    expect(faults).toEqual([]);
  });
});

describe.each(forUsers)("$path", ({ text }) => {
  it("names files and flags that exist", async () => {
    const flags = new Set(["--help", "--version", "--ignore-scripts", "--only"]);
    for (const name of COMMAND_NAMES) {
      for (const { long } of (await commandDefinition(name)).options) if (long) flags.add(long);
    }
    const code = inlineCode(text);
    const paths = code.filter((word) => /^(src|docs|scripts|test|examples|experiments|bin)\/[\w./-]+$/.test(word));
    const missing = paths.filter((path) => !existsSync(join(REPOSITORY, path)) && !GENERATED.has(path));
    const unknown = code.flatMap((word) => word.match(/(?<![\w-])--[a-z-]+/g) ?? []).filter((flag) => !flags.has(flag));
    expect({ missing, unknown }).toEqual({ missing: [], unknown: [] });
  });
});

describe("the checks themselves", () => {
  it("see links that lead nowhere", () => {
    const page = {
      path: "docs/x.md",
      text: "# One\n[a](y.md) [b](#two) [c](cli.md#nothing) [d](cli.md#inspect) [e](../README.md)",
    };
    const broken = linkTargets(page.text).flatMap((target) => brokenLink(page, target));
    expect(broken).toEqual(["y.md", "#two", "cli.md#nothing"]);
  });

  it("see commands, flags, values and scripts that do not exist", async () => {
    const wrong = [
      "npx modicum shrink a.onnx",
      "modicum inspect a.onnx --bits 4",
      "modicum quantize a.onnx -w 99",
      "modicum evaluate a.onnx",
      "npm run nothing",
    ];
    for (const line of wrong) expect(await commandFault(line.split(" ")), line).toHaveLength(1);
    expect(await commandFault("npx modicum quantize a.onnx -w 4".split(" "))).toEqual([]);
  });
});

/** Written by a command that takes long, and not there in every checkout. */
const GENERATED: ReadonlySet<string> = new Set();

describe("docs/cli.md", () => {
  it("has the options of the commands as they are", async () => {
    expect(commandLine.text, "run `npx tsx scripts/cli-reference.ts`").toBe(await withOptionTables(commandLine.text));
  });

  it("lists the codes of all errors", () => {
    const codes = Object.values(errors)
      .filter((type) => type !== errors.ModicumError)
      .map((type) => new (type as typeof errors.DataError)("").code);
    const listed = inlineCode(commandLine.text);
    expect(codes.filter((code) => !listed.includes(code))).toEqual([]);
  });
});

describe.skipIf(reasonWithoutOnnxRuntimeNode() !== undefined)("the JSON that docs/cli.md describes", () => {
  let folder: string;
  const model = join(EXAMPLE, "model.onnx");

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "modicum-docs-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is what the commands print, field by field", async () => {
    const small = join(folder, "small.onnx");
    const data = ["--data", EXAMPLE, "--limit", "40", "--quiet", "--json"];
    const calls: readonly string[][] = [
      ["inspect", model, "--json"],
      ["quantize", model, "-w", "3", "-o", small, "--calibrate", EXAMPLE, ...data],
      ["evaluate", model, small, ...data, "--timing", "0.05"],
      ["compare", model, small, ...data, "--timing", "0.05"],
      ["train", "mlp", "--data", "example", "--epochs", "1", "--output", join(folder, "run"), "--quiet", "--json"],
      ["export", join(folder, "run"), "--output", join(folder, "mlp.onnx"), "--json"],
      ["rounding", join(folder, "run"), "--json"],
    ];
    for (const args of calls) {
      const { code, stdout, stderr } = await runMain(args);
      expect(code, stderr).toBe(0);
      expect(contractFaults(args[0]!, JSON.parse(stdout))).toEqual([]);
    }
  });

  it("has nothing that a made-up field could hide behind", () => {
    const result = { models: [{ path: "a", speed: 1 }] };
    const faults = contractFaults("evaluate", result);
    expect(faults).toContain("models[].top1 is not there");
    expect(faults).toContain("models[].speed is not described");
  });
});

describe("docs/quantization.md", () => {
  it("states the defaults that the command line has", async () => {
    const [head, ...rows] = tableWith(sectionOf(guide, "## Options"), "option") as [string[], ...string[][]];
    for (const [column, flags] of head.slice(1).entries()) {
      const command = await commandDefinition("quantize");
      await command.parseAsync(["model.onnx", ...flags.replaceAll("`", "").split(" ")], { from: "user" });
      const settings = resolveSettings({ ...methodFromFlags(command.opts<MethodOptions>()), runtime: {} as Runtime });
      const stated = { ...settings, range: settings.range.name, policy: settings.policy.name };
      for (const [option, ...values] of rows) {
        const name = command.options.find(({ long }) => `\`${long}\`` === option)?.attributeName();
        expect(`${flags} ${option} ${values[column]}`).toBe(
          `${flags} ${option} ${stated[name as keyof typeof stated]}`,
        );
      }
    }
  });

  it("explains messages that are still in the sources", () => {
    const sources = sourceFiles("src").filter(({ path }) => !/\.(test|cases)\.ts$/.test(path));
    const text = sources.map((file) => file.text).join("\n");
    const [, ...rows] = tableWith(sectionOf(guide, "## Troubleshooting"), "message contains");
    const messages = rows.map(([cell]) => cell!.replaceAll("`", ""));
    expect(messages.length).toBeGreaterThan(5);
    expect(messages.filter((message) => !text.includes(message))).toEqual([]);
  });
});

describe("examples in TypeScript", () => {
  let folder: string;
  const pages = [document("README.md"), ...all.filter(({ path }) => /^docs\/[^/]+\.md$/.test(path))];
  const examples = pages.flatMap(({ path, text }) =>
    codeBlocks(text)
      .filter(({ language }) => language === "ts")
      .map((block) => ({ ...block, page: path, file: `${path.replace(/\W/g, "-")}-${block.line}.ts` })),
  );

  beforeAll(() => {
    folder = exampleFolder();
    for (const { file, code } of examples) writeFileSync(join(folder, file), code);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("type-check", () => {
    writeFileSync(join(folder, "wrong.ts"), 'import { quantize } from "modicum";\nquantize(1, {});\n');
    const faults = typeFaults(folder);
    expect(faults.filter((line) => line.startsWith("wrong.ts")).length).toBeGreaterThan(0);
    expect(faults.filter((line) => examples.some(({ file }) => line.startsWith(file)))).toEqual([]);
  });

  it.skipIf(reasonWithoutOnnxRuntimeNode() !== undefined)("run where they say so", () => {
    const runnable = examples.filter(({ mark }) => mark === "run");
    expect(new Set(runnable.map(({ page }) => page))).toEqual(
      new Set([
        "README.md",
        "docs/api.md",
        "docs/data.md",
        "docs/eight-bit-training.md",
        "docs/fixed-heads.md",
        "docs/models.md",
        "docs/normalization.md",
        "docs/norms-and-rates.md",
        "docs/training.md",
      ]),
    );
    const main = join(folder, "all.ts");
    writeFileSync(main, runnable.map(({ file }) => `await import("./${file}");\nconsole.log("done");\n`).join(""));
    const tsx = join(REPOSITORY, "node_modules", "tsx", "dist", "cli.mjs");
    const printed = execFileSync(process.execPath, [tsx, "--tsconfig", "tsconfig.json", main], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(printed.split("\n").filter((line) => line === "done")).toHaveLength(runnable.length);
    expect(readFileSync(join(folder, "small.onnx")).length).toBeLessThan(100_000);
  });

  describeUnless(reasonWithoutBrowser(), "in a browser", () => {
    const shrinking = examples.filter(({ mark }) => mark === "browser");

    it("runs", { timeout: BROWSER_TIMEOUT_MS }, async () => {
      expect(shrinking).toHaveLength(1);
      const page = join(folder, "page.ts");
      writeFileSync(
        page,
        `import { shrink } from "./${shrinking[0]!.file}";
        export const run = async () => (await shrink(await (await fetch("/files/model.onnx")).blob())).length;\n`,
      );
      const model = readFileSync(join(EXAMPLE, "model.onnx"));
      const size = await runInBrowser<number>({ entry: pathToFileURL(page), files: { "model.onnx": model } });
      expect(size).toBeGreaterThan(50_000);
      expect(size).toBeLessThan(80_000);
    });
  });
});

/** Returns a link's target when it leads nowhere. */
function brokenLink(page: Document, target: string): string[] {
  if (/^[a-z]+:/.test(target)) return [];
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? page.path : normalize(join(dirname(page.path), file)).replaceAll("\\", "/");
  if (!existsSync(join(REPOSITORY, path))) return [target];
  if (anchor === undefined) return [];
  const linked = all.find((one) => one.path === path);
  return linked && anchors(linked.text).has(anchor) ? [] : [target];
}

/** Returns what is wrong with a command of a document. */
async function commandFault(words: readonly string[]): Promise<string[]> {
  const line = words.join(" ");
  const [program, ...rest] = words[0] === "npx" ? words.slice(1) : words;
  if (program === "npm") {
    const script = rest[0] === "run" ? rest[1] : rest[0] === "test" ? "test" : undefined;
    return script === undefined || packageJson.scripts[script] !== undefined ? [] : [`${line}: no such script`];
  }
  if (program !== "modicum" || rest.some((word) => /^<|\.\.\.>?$/.test(word))) return [];
  const [name = "", ...args] = rest;
  if (!COMMAND_NAMES.includes(name)) return [`${line}: no such command`];
  try {
    await (await commandDefinition(name)).parseAsync(args, { from: "user" });
    return [];
  } catch (error) {
    return [`${line}: ${(error as Error).message}`];
  }
}

/** Returns where a command's JSON and its description differ. */
function contractFaults(command: string, result: unknown): string[] {
  const rows = tableWith(sectionOf(commandLine, `### \`${command} --json\``), "field").slice(1);
  const described = rows.flatMap(([fields, type]) => inlineCode(fields!).map((path) => ({ path, type: type! })));
  const real = new Set<string>();
  addPaths(result, "", real);
  const absent = described.filter(({ path }) => !isThere(path, real));
  const open = described.filter(({ type }) => /^(object|list)/.test(type)).map(({ path }) => path);
  const known = new Set(described.map(({ path }) => path));
  const extra = [...real].filter((path) => !known.has(path) && !open.some((start) => path.startsWith(start)));
  const isParent = (path: string): boolean => [...known].some((one) => one.startsWith(path));
  return [
    ...absent.map(({ path }) => `${path} is not there`),
    ...extra.filter((path) => !isParent(path)).map((path) => `${path} is not described`),
  ];
}

/** A list may be empty, and then has no fields to look at. */
function isThere(path: string, real: ReadonlySet<string>): boolean {
  if (real.has(path)) return true;
  const list = path.slice(0, path.indexOf("[]") + 2);
  return path.includes("[]") && real.has(list) && ![...real].some((one) => one.startsWith(`${list}.`));
}

/** Adds `a`, `a.b`, `a.b[]`, `a.b[].c` ... */
function addPaths(value: unknown, path: string, paths: Set<string>): void {
  if (path !== "") paths.add(path);
  if (Array.isArray(value)) {
    paths.add(`${path}[]`);
    for (const item of value) addPaths(item, `${path}[]`, paths);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) addPaths(item, path === "" ? key : `${path}.${key}`, paths);
  }
}

/** Makes a project whose `modicum` is this one's sources, with the example's model in it. */
function exampleFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "modicum-examples-"));
  const paths = Object.fromEntries(
    Object.entries(packageJson.exports).flatMap(([path, target]) => {
      if (typeof target === "string") return [];
      const source = target.types.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts");
      return [[path.replace(/^\./, "modicum"), [join(REPOSITORY, source)]]];
    }),
  );
  const { compilerOptions } = JSON.parse(readFileSync(join(REPOSITORY, "tsconfig.json"), "utf8")) as {
    readonly compilerOptions: Readonly<Record<string, unknown>>;
  };
  const config = {
    compilerOptions: { ...compilerOptions, noUnusedLocals: false, moduleDetection: "force", paths },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  symlinkSync(join(REPOSITORY, "examples"), join(folder, "examples"));
  copyFileSync(join(EXAMPLE, "model.onnx"), join(folder, "model.onnx"));
  return folder;
}

/** Returns the compiler's messages about a folder. */
function typeFaults(folder: string): string[] {
  try {
    execFileSync(join(REPOSITORY, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.json", "--pretty", "false"], {
      cwd: folder,
      encoding: "utf8",
    });
    return [];
  } catch (error) {
    return (error as { stdout: string }).stdout.split("\n");
  }
}
