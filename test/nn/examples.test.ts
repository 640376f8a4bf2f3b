/** Examples in the documentation comments of layers, losses, optimizers and schedules: they are what the compiler accepts. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportsOf } from "../support/exports.ts";
import { REPOSITORY, sourceFiles } from "../support/source-files.ts";

/** What examples may use without saying where it comes from. */
const PRELUDE = `import { type Layer, type LossFunction, nn, optim, type Scope, type Training, type Value } from "modicum";
declare const scope: Scope;
declare const model: Layer;
declare const prediction: Value, target: Value, box: Value, scores: Value, label: Value, memory: Value;
declare const logProbabilities: Value, teacher: Value;
declare const training: Training;
`;

const files = sourceFiles("src").filter(
  ({ path }) => /^src\/(nn|optim)\/(heads\/)?[\w-]+\.ts$/.test(path) && !/\.(test|cases)\.ts$/.test(path),
);
const indexes = files.filter(({ path }) => path.endsWith("/index.ts"));
const examples = files.flatMap(({ path, text }) =>
  [...text.matchAll(/@example\n((?: \* .*\n| \*\n)+)/g)].map((match, index) => ({
    name: `${path.replace(/\W/g, "-")}-${index}.ts`,
    code: match[1]!.replaceAll(/^ \* ?/gm, ""),
  })),
);

describe("documentation comments", () => {
  it("have an example for every function", () => {
    const text = files.map((file) => file.text).join("\n");
    const functions = indexes.flatMap((index) => exportsOf(index).filter(({ isType }) => !isType));
    const without = functions.filter(({ original }) => {
      const at = text.indexOf(`export function ${original}(`);
      return !text.slice(text.lastIndexOf("/**", at), at).includes("@example");
    });
    // What others are made of, and hardly used by itself.
    expect(without.map(({ name }) => name)).toEqual(["inverseRootUniform"]);
  });

  describe("with examples", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "modicum-nn-examples-"));
      const { compilerOptions } = JSON.parse(readFileSync(join(REPOSITORY, "tsconfig.json"), "utf8"));
      const paths = { modicum: [join(REPOSITORY, "src/index.ts")] };
      const options = { ...compilerOptions, noUnusedLocals: false, moduleDetection: "force", paths };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
      for (const { name, code } of examples) writeFileSync(join(folder, name), `${PRELUDE}{\n${code}}\n`);
      writeFileSync(join(folder, "wrong.ts"), `${PRELUDE}nn.linear("10");\n`);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("that the compiler accepts", () => {
      expect(examples.length).toBeGreaterThan(70);
      const faults = compilerMessages(folder);
      expect(faults.some((line) => line.startsWith("wrong.ts"))).toBe(true);
      expect(faults.filter((line) => examples.some(({ name }) => line.startsWith(name)))).toEqual([]);
    });
  });
});

function compilerMessages(folder: string): string[] {
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
