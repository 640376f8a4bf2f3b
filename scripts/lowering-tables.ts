/**
 * Writes src/lower/forms/default-tables.ts, the measurements that programs are lowered by unless the user brings others.
 *
 *   modicum tune --device cpu --threads 1 --out cpu.json
 *   modicum tune --device wasm --threads 1 --out wasm.json
 *   npx tsx scripts/lowering-tables.ts cpu.json wasm.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoweringTable } from "../src/lower/index.ts";

const TARGET = fileURLToPath(new URL("../src/lower/forms/default-tables.ts", import.meta.url));

const [cpu, wasm] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")) as LoweringTable);
if (!cpu || !wasm) throw new Error("lowering-tables: two files must be given, the table of cpu and that of wasm.");

function rows({ timings }: LoweringTable): string {
  return timings
    .map(({ operator, shape, ms }) => {
      const { examples, inputs, outputs, lengths, kernel, stride, group } = shape;
      const numbers = [examples, inputs, outputs, `[${lengths.join(", ")}]`, `[${kernel.join(", ")}]`, stride, group];
      const times = Object.entries(ms).map(([form, time]) => `${form}: ${time}`);
      return `  ["${operator}", [${numbers.join(", ")}], { ${times.join(", ")} }],`;
    })
    .join("\n");
}

const table = (name: string, measured: LoweringTable) => `/** ${measured.runtime}. */
// biome-ignore format: a table
const ${name}: readonly Row[] = [
${rows(measured)}
];
`;

const text = `/** Measured forms, as programs are lowered by default. Written by scripts/lowering-tables.ts. */
import type { Device } from "../../runtime/index.ts";
import type { ConvolutionShape } from "./form.ts";
import type { FormTiming, LoweringTable } from "./lowering-table.ts";

/** Operator, shape and milliseconds by form. The shape: examples, inputs, outputs, lengths, kernel, stride, group. */
type Row = readonly [
  operator: string,
  shape: readonly [number, number, number, readonly number[], readonly number[], number, number],
  ms: Readonly<Record<string, number>>,
];

${table("CPU", cpu)}
${table("WASM", wasm)}
const CPU_TABLE = tableOf("${cpu.runtime}", CPU);
const WASM_TABLE = tableOf("${wasm.runtime}", WASM);

/** Returns the measurements for a device; those of cpu stand in for devices that were not measured. */
export function defaultTable(device: Device): LoweringTable {
  return device === "wasm" ? WASM_TABLE : CPU_TABLE;
}

function tableOf(runtime: string, rows: readonly Row[]): LoweringTable {
  return { runtime, timings: rows.map(timingOf) };
}

function timingOf([operator, [examples, inputs, outputs, lengths, kernel, stride, group], ms]: Row): FormTiming {
  const shape: ConvolutionShape = { examples, inputs, outputs, lengths, kernel, stride, group };
  return { operator, shape, ms };
}
`;
writeFileSync(TARGET, text);
