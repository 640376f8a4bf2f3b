/** Operators that ONNX Runtime has no kernels for: those of domains that are neither its own nor defined in the model. */
import type { Program } from "../program/index.ts";

/** Domains whose operators come with ONNX Runtime. */
const RUNTIME_DOMAINS: ReadonlySet<string> = new Set([
  "", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc",
]); // biome-ignore format: a table

/** Returns the names of a model's operators from other domains, `domain.Operator`, without repetition. */
export function foreignOperators(program: Program): string[] {
  const local = new Set(program.functions.map(({ domain, name }) => `${domain}.${name}`));
  const foreign = [...program.allNodes()]
    .filter(({ domain }) => !RUNTIME_DOMAINS.has(domain))
    .map(({ domain, operator }) => `${domain}.${operator}`)
    .filter((name) => !local.has(name));
  return [...new Set(foreign)];
}
