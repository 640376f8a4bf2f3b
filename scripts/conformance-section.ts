/** The part of docs/coverage.md about ONNX's own operator cases, from test/conformance.json. */
import { readFileSync } from "node:fs";

/** What each reason means, in the order in which they are listed. */
const REASONS: Readonly<Record<string, string>> = {
  "ONNX Runtime gives another result":
    "The case runs and its shapes are right, the numbers differ. Attention on 3-D inputs: the cases (March 2025) split heads without " +
    "the transposition that the specification asks for, corrected later (onnx/onnx#7118). Attention on 4-D inputs with grouped " +
    "queries, softcap or a returned score matrix, MaxUnpool with output_shape, QLinearMatMul of int8 by int8, Resize with " +
    "align_corners to a length of 1, and numbers written as strings: ONNX Runtime 1.30 differs from the case.",
  "refused by ONNX Runtime":
    "No kernel for the element type or operator (ImageDecoder, RoiAlign 22, batch-major recurrences, locales), or an expanded form its " +
    "own shape inference rejects (Range in RMSNormalization). Modicum's shape rules pass.",
  "element type that cannot cross to JavaScript":
    "4-bit integers, bfloat16 or 8-bit floats as inputs or outputs of the model; inside a model they work.",
  "sequence or optional as input or output": "Modicum's sessions take and give tensors.",
  "random output": "No data can tell whether random numbers are right; shapes are.",
  "unknown operator":
    "Training operators of ONNX's preview domain (write the optimizer with `optim` instead) and TreeEnsemble.",
};

/** Returns the section. */
export function conformanceSection(): string {
  const { cases, passing, exceptions } = JSON.parse(
    readFileSync(new URL("../test/conformance.json", import.meta.url), "utf8"),
  ) as { cases: number; passing: number; exceptions: Readonly<Record<string, readonly string[]>> };
  const unexplained = Object.keys(exceptions).find((reason) => REASONS[reason] === undefined);
  if (unexplained) throw new Error(`internal: scripts/conformance-section.ts must explain "${unexplained}"`);
  const rows = Object.entries(REASONS)
    .filter(([reason]) => exceptions[reason])
    .map(([reason, text]) => `| ${reason} | ${exceptions[reason]!.length} | ${text} |`);
  const lists = Object.keys(REASONS)
    .filter((reason) => exceptions[reason])
    .map((reason) => `- **${reason}**: ${exceptions[reason]!.map((name) => `\`${name}\``).join(", ")}`);
  return `## ONNX's own operator cases

${passing} of the ${cases} cases of the ONNX project are read, get the shapes and types they produce inferred, run on the CPU and give the
expected numbers (relative tolerance 1e-3, as ONNX's own tests). \`test/conformance.test.ts\` holds every verdict, where
\`../shared\` is present; \`npx tsx scripts/conformance.ts\` writes them down anew. No case gets a wrong shape. The others:

| Reason | Cases | What it is |
| --- | ---: | --- |
${rows.join("\n")}

<details><summary>The cases by reason</summary>

${lists.join("\n")}

</details>
`;
}
