/** The order of the folders of src/, and what breaks it. See docs/architecture.md. */
import { importsOf, packageOf, resolvedPath } from "./imports.ts";
import type { SourceFile } from "./source-files.ts";

/** A folder imports folders of lower rank only; two of equal rank never import each other. */
export const RANKS: Readonly<Record<string, number>> = {
  tensor: 0,
  program: 1,
  data: 1,
  onnx: 2,
  ops: 2,
  runtime: 3,
  build: 3,
  prepare: 4,
  gradients: 4,
  nn: 4,
  optim: 4,
  lower: 4,
  precision: 5,
  quantize: 5,
  train: 5,
  models: 5,
  evaluate: 6,
  fit: 6,
  refine: 6,
  report: 7,
  files: 8,
  experiments: 9,
  cli: 10,
};

/** Files that other folders may import besides a folder's index.ts: entry points of the package. */
const ENTRY_POINTS = new Set(["src/runtime/node.ts", "src/runtime/web.ts"]);

const NODE_ONLY_FOLDERS = new Set(["files", "experiments", "cli"]);
const NODE_ONLY_FILES = new Set(["src/runtime/node.ts", "src/runtime/node-worker.ts"]);
const NODE_ONLY_PACKAGES = new Set(["sharp", "onnxruntime-node", "cli-progress", "commander"]);

/** Returns one sentence for every import that goes against the order. Tests and their cases may import anything. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !/\.(test|cases)\.ts$/.test(path))
    .flatMap((file) =>
      importsOf(file).flatMap(({ specifier }) => {
        const reason = violation(file.path, specifier);
        return reason === undefined ? [] : [`${file.path} imports ${specifier}: ${reason}`];
      }),
    );
}

function violation(path: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  return name === undefined ? pathViolation(path, resolvedPath(path, specifier)) : packageViolation(path, name);
}

function packageViolation(path: string, name: string): string | undefined {
  const folder = folderOf(path);
  const inNode = NODE_ONLY_FILES.has(path) || (folder !== undefined && NODE_ONLY_FOLDERS.has(folder));
  if ((name.startsWith("node:") || NODE_ONLY_PACKAGES.has(name)) && !inNode) {
    return "the core runs in browsers too; only files/, experiments/, cli/ and runtime/node*.ts are for Node";
  }
  if (name.startsWith("onnxruntime-") && folder !== "runtime") return "only runtime/ knows ONNX Runtime";
  return undefined;
}

function pathViolation(path: string, target: string): string | undefined {
  if (target === "src/errors.ts") return undefined;
  const [from, to] = [folderOf(path), folderOf(target)];
  if (path === "src/errors.ts") return "errors.ts imports nothing";
  if (!target.startsWith("src/")) return "sources import nothing outside src/";
  if (to === undefined) return `${target} is above the folders`;
  if (RANKS[to] === undefined) return `folder ${to} has no rank`;
  if (from === to) return target === `src/${to}/index.ts` ? "inside a folder import files, not its index" : undefined;
  if (target !== `src/${to}/index.ts` && !ENTRY_POINTS.has(target)) return `from another folder import ${to}/index.ts`;
  if (from === undefined) {
    return NODE_ONLY_FOLDERS.has(to) || NODE_ONLY_FILES.has(target) ? "src/index.ts must load in a browser" : undefined;
  }
  if (RANKS[from] === undefined) return `folder ${from} has no rank`;
  return RANKS[to] < RANKS[from] ? undefined : `${from} (rank ${RANKS[from]}) may not import ${to} (rank ${RANKS[to]})`;
}

/** Returns the folder of a file in src/, or undefined for files directly in it. */
function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}
