/** What an index exports, and the documentation of what it exports. */
import { parseSync } from "vite";
import { resolvedPath } from "./imports.ts";
import type { SourceFile } from "./source-files.ts";

/** One name an index exports. */
export interface Export {
  /** The name users see; `*` for `export *`. */
  readonly name: string;
  /** The name in the file it comes from. */
  readonly original: string;
  /** File it comes from, or undefined when declared in the index itself. */
  readonly from: string | undefined;
  /** Whether only the type is exported. */
  readonly isType: boolean;
}

/** Returns everything a file exports, in its order. */
export function exportsOf({ path, text }: SourceFile): Export[] {
  return parseSync(path, text).module.staticExports.flatMap(({ entries }) =>
    entries.map(({ exportName, importName, localName, moduleRequest, isType }) => ({
      name: exportName.name ?? "*",
      original: importName.name ?? localName.name ?? "*",
      from: moduleRequest ? resolvedPath(path, moduleRequest.value) : undefined,
      isType,
    })),
  );
}

/** Returns whether the declaration of an exported name, or its `export { name }`, stands right after a documentation comment. */
export function isDocumented({ path, text }: SourceFile, name: string): boolean {
  const { program, comments } = parseSync(path, text);
  const documented = new Set(
    comments
      .filter(({ type, value }) => type === "Block" && value.startsWith("*"))
      .map(({ end }) => end + /^\s*/.exec(text.slice(end))![0].length),
  );
  return program.body.some(
    (statement) =>
      statement.type === "ExportNamedDeclaration" &&
      documented.has(statement.start) &&
      (statement.declaration === null
        ? statement.specifiers.some(({ exported }) => "name" in exported && exported.name === name)
        : declaredNames(statement.declaration).includes(name)),
  );
}

function declaredNames(declaration: object): string[] {
  const { id, declarations = [] } = declaration as { id?: { name?: string }; declarations?: readonly object[] };
  return [...(id?.name === undefined ? [] : [id.name]), ...declarations.flatMap(declaredNames)];
}
