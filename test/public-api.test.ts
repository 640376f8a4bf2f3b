import { describe, expect, it } from "vitest";
import { exportsOf, isDocumented } from "./support/exports.ts";
import { type SourceFile, sourceFiles } from "./support/source-files.ts";

const sources = new Map(sourceFiles("src").map((file) => [file.path, file]));
const folders = [...sources.keys()].filter((path) => /^src\/[^/]+\/index\.ts$/.test(path));
const entries = ["src/index.ts", "src/runtime/node.ts", "src/runtime/web.ts", ...folders];

describe.each(entries)("%s", (path) => {
  const file = sources.get(path)!;

  it("says in its first lines what it is", () => {
    expect(file.text).toMatch(/^\/\*\*/);
  });

  it("exports by name, nothing wholesale and nothing by default", () => {
    const names = exportsOf(file).map(({ name }) => name);
    expect(names).not.toContain("*");
    expect(names).not.toContain("default");
    expect(names.length).toBeGreaterThan(0);
  });

  it("exports only what is there", async () => {
    const module = (await import(new URL(`../${path}`, import.meta.url).href)) as Record<string, unknown>;
    const values = exportsOf(file).filter(({ isType }) => !isType);
    expect(Object.keys(module).sort()).toEqual(values.map(({ name }) => name).sort());
    expect(Object.keys(module).filter((name) => module[name] === undefined)).toEqual([]);
  });

  it("exports only what is documented", () => {
    expect(undocumented(file)).toEqual([]);
  });
});

describe("the check itself", () => {
  it("sees a wholesale export", () => {
    expect(exportsOf({ path: "src/a/index.ts", text: 'export * from "./b.ts";' }).map(({ name }) => name)).toEqual([
      "*",
    ]);
  });

  it("sees what has no documentation comment of its own", () => {
    const text = "/** One. */\nexport const one = 1;\nexport const two = 2;\n// Three.\nexport function three() {}";
    const names = ["one", "two", "three"].filter((name) => isDocumented({ path: "src/a/b.ts", text }, name));
    expect(names).toEqual(["one"]);
  });
});

/** Returns what a file exports without a documentation comment, followed through the indexes it comes from. */
function undocumented(file: SourceFile): string[] {
  return exportsOf(file).flatMap(({ name, original, from }) => {
    const declared = declarationOf(from === undefined ? file : sources.get(from)!, original);
    return isDocumented(declared.file, declared.name) ? [] : [`${name} of ${declared.file.path}`];
  });
}

function declarationOf(file: SourceFile, name: string): { readonly file: SourceFile; readonly name: string } {
  const found = exportsOf(file).find((exported) => exported.name === name && exported.from !== undefined);
  return found === undefined ? { file, name } : declarationOf(sources.get(found.from!)!, found.original);
}
