/** Tables of numbers with a class. */
import { existsSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { type Dataset, datasetFromArrays, gunzipIfPacked } from "../../data/index.ts";
import { DataError } from "../../errors.ts";
import { float32 } from "../../tensor/index.ts";
import { pathKind } from "../read-file.ts";
import { DataFiles, findFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { withTestPart } from "./own-test-part.ts";

/** Names of the column with the class; the last column where none has one of them. */
const CLASS_COLUMNS = ["class", "label", "target"];

const OBTAIN =
  "A .csv file with a header, numbers, and a column named class, label or target (else the last) with the class; or a folder with train.csv and test.csv. Each may be .gz.";

/** Numbers and a class in each row; features are standardized by those that are trained on. */
export const csv: DataSource = {
  name: "csv",
  title: "Table (CSV)",
  kind: "features",
  path: "file or folder",
  url: undefined,
  sizeBytes: undefined,
  licence: undefined,
  obtain: OBTAIN,
  checksums: {},
  options: [],
  async read(path) {
    const files = new DataFiles();
    const paths = await tablePaths(path);
    const tables: Table[] = [];
    for (const one of paths) tables.push(readTable(await files.read(one), one));
    const [first, second] = tables as [Table, Table?];
    if (second && second.features.join() !== first.features.join()) {
      throw new DataError(
        `${paths[1]}: must have the columns of ${paths[0]} (${first.features.join(", ")}), got ${second.features.join(", ")}.`,
      );
    }
    const classNames = sortedClasses(first.classes);
    const open = (table: Table, where: string): Dataset => {
      const labels = Int32Array.from(table.classes, (name) => classNames.indexOf(name));
      const unknown = labels.indexOf(-1);
      if (unknown >= 0) {
        throw new DataError(
          `${where}: classes must be those to train on (${classNames.join(", ")}), got ${JSON.stringify(table.classes[unknown])}.`,
        );
      }
      const x = float32([labels.length, table.features.length], table.numbers);
      return datasetFromArrays(new Map([["x", x]]), { description: where, labels, classNames });
    };
    const all = open(first, paths[0]!);
    const parts = second ? { train: all, test: open(second, paths[1]!) } : withTestPart(all);
    return {
      kind: "features",
      ...parts,
      classes: classNames.length,
      classNames,
      sampleShape: [first.features.length],
      dtype: "float32",
      normalization: { standardize: 1 },
      fingerprint: files.fingerprint,
      files: files.files,
    };
  },
};

async function tablePaths(path: string): Promise<readonly string[]> {
  if ((await pathKind(path)) === "file") return [path];
  const names = ["train", "test"].map((part) => [`${part}.csv`, `${part}.csv.gz`]);
  if (existsSync(path)) return findFiles(path, names, { obtain: OBTAIN });
  throw new DataError(`${path}: must be a .csv file or a folder, got nothing there. ${OBTAIN}`);
}

interface Table {
  /** Names of the columns of numbers. */
  readonly features: readonly string[];
  /** Row by row. */
  readonly numbers: Float32Array;
  readonly classes: readonly string[];
}

function readTable(bytes: Uint8Array, where: string): Table {
  let rows: string[][];
  try {
    rows = parse(gunzipIfPacked(bytes, where) as Buffer, { bom: true, trim: true, skip_empty_lines: true });
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${where}: must be a CSV file, got one that is not (${(cause as Error).message}).`, { cause });
  }
  const [header, ...body] = rows;
  if (header === undefined || header.length < 2 || body.length === 0) {
    throw new DataError(
      `${where}: must have a header of two columns at least and rows below it, got ${rows.length} rows.`,
    );
  }
  const named = CLASS_COLUMNS.map((name) => header.findIndex((column) => column.toLowerCase() === name));
  const classColumn = named.find((column) => column >= 0) ?? header.length - 1;
  const features = header.filter((_, column) => column !== classColumn);
  const number = features.find((name) => name === "" || Number.isFinite(Number(name)));
  if (number !== undefined) {
    throw new DataError(
      `${where}: must begin with the names of the columns, got ${JSON.stringify(number)}. Add a header.`,
    );
  }
  const numbers = new Float32Array(body.length * features.length);
  let at = 0;
  for (const [row, fields] of body.entries()) {
    for (const [column, field] of fields.entries()) {
      if (column === classColumn) continue;
      const value = Number(field);
      if (field === "" || !Number.isFinite(value)) {
        throw new DataError(
          `${where} row ${row + 1}: ${header[column]} must be a number, got ${JSON.stringify(field)}. Fill in or leave out such rows.`,
        );
      }
      numbers[at++] = value;
    }
  }
  return { features, numbers, classes: body.map((fields) => fields[classColumn]!) };
}

/** Classes in order: by value when all are numbers, else by name. */
function sortedClasses(classes: readonly string[]): readonly string[] {
  const names = [...new Set(classes)];
  const areNumbers = names.every((name) => name !== "" && Number.isFinite(Number(name)));
  return areNumbers ? names.sort((a, b) => Number(a) - Number(b)) : names.sort();
}
