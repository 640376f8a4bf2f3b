/** What a source file imports and exports, types included. */
import { parseSync } from "vite";
import type { SourceFile } from "./source-files.ts";

/** One import, re-export, `import()` or `import("...")` type. */
export interface Import {
  /** As written: `../onnx/index.ts`, `node:fs`, `zod`. */
  readonly specifier: string;
  /** How: loaded at once, loaded later, or only its types. */
  readonly kind: "static" | "dynamic" | "type";
}

/** Returns everything a file imports. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const imports: Import[] = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    kind: entries.length > 0 && entries.every(({ isType }) => isType) ? "type" : "static",
  }));
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) imports.push({ specifier: moduleRequest.value, kind: isType ? "type" : "static" });
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^["'`](.*)["'`]$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1];
    if (literal !== undefined) imports.push({ specifier: literal, kind: "dynamic" });
  }
  for (const specifier of importTypes(program)) imports.push({ specifier, kind: "type" });
  return imports;
}

/** Returns the package of a bare specifier (`@scope/name`, `node:fs`), or undefined for a path. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".")) return undefined;
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Returns the file a relative specifier leads to, as a path from the repository's root. */
export function resolvedPath(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function importTypes(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(importTypes);
  if (node === null || typeof node !== "object") return [];
  const { type, source } = node as { type?: string; source?: { value?: unknown } };
  const own = type === "TSImportType" && typeof source?.value === "string" ? [source.value] : [];
  return [...own, ...Object.values(node).flatMap(importTypes)];
}
