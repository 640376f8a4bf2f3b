/** Plain text for language models, as characters or words. */
import { join } from "node:path";
import { type Dataset, gunzipIfPacked, makeVocabulary, type TokenUnit, tokenWindows } from "../../data/index.ts";
import { DataError, OptionError } from "../../errors.ts";
import { listFolder, pathKind } from "../read-file.ts";
import { DataFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";

/** Tokens of a sample when nobody says. */
const DEFAULT_LENGTH = 128;

/** Words a vocabulary has at most, as that of the Penn Treebank's usual version. */
const MOST_WORDS = 10_000;

const OBTAIN =
  "A text file (UTF-8, .txt or .txt.gz), or a folder of them; files with test in their names are tested with, those with valid validate.";

/** Text as characters. */
export const text: DataSource = textSource("text", "Text, by character", "character");

/** Text as words: the 10,000 most frequent. */
export const words: DataSource = textSource("words", "Text, by word", "word");

function textSource(name: string, title: string, unit: TokenUnit): DataSource {
  return {
    name,
    title,
    kind: "tokens",
    path: "file or folder",
    url: undefined,
    sizeBytes: undefined,
    licence: undefined,
    obtain: OBTAIN,
    checksums: {},
    options: ["length"],
    async read(path, { length = DEFAULT_LENGTH }) {
      if (!Number.isInteger(length) || length < 1) {
        throw new OptionError(`data: length must be a whole number of tokens above zero, got ${length}.`);
      }
      const files = new DataFiles();
      const parts = await readParts(path, files);
      const { tokens, encode } = makeVocabulary(parts.train, unit, unit === "word" ? MOST_WORDS : undefined);
      const open = (part: keyof typeof parts, description: string): Dataset =>
        tokenWindows(encode(parts[part]!), length, `${path} (${description})`);
      return {
        kind: "tokens",
        train: open("train", "training part"),
        validation: parts.validation === undefined ? undefined : open("validation", "validation part"),
        test: open("test", "test part"),
        classes: tokens.length,
        classNames: tokens,
        sampleShape: [length],
        dtype: "int64",
        normalization: undefined,
        fingerprint: files.fingerprint,
        files: files.files,
      };
    },
  };
}

interface TextParts {
  readonly train: string;
  readonly validation?: string;
  readonly test: string;
}

async function readParts(path: string, files: DataFiles): Promise<TextParts> {
  const kind = await pathKind(path);
  if (kind === undefined) throw new DataError(`${path}: must be a text file or a folder, got nothing there. ${OBTAIN}`);
  const names = kind === "file" ? [""] : (await listFolder(path)).files.filter((name) => /\.txt(\.gz)?$/i.test(name));
  if (names.length === 0) throw new DataError(`${path}: must hold .txt files, got none. ${OBTAIN}`);
  const read = async (some: readonly string[]): Promise<string | undefined> => {
    const texts: string[] = [];
    for (const name of some) texts.push(decode(await files.read(join(path, name)), join(path, name)));
    return texts.length === 0 ? undefined : texts.join("");
  };
  const isTest = (name: string) => /test/i.test(name);
  const isValidation = (name: string) => /valid|\bval\b/i.test(name);
  const train = await read(names.filter((name) => !isTest(name) && !isValidation(name)));
  if (train === undefined)
    throw new DataError(`${path}: must hold text to train on, got ${names.join(", ")}. ${OBTAIN}`);
  const validation = await read(names.filter(isValidation));
  const test = await read(names.filter(isTest));
  const kept = validation === undefined ? {} : { validation };
  if (test !== undefined) return { train, test, ...kept };
  // The last tenth, from the beginning of a line where there is one, so that no word is cut.
  const nine = Math.floor(0.9 * train.length);
  const cut = train.lastIndexOf("\n", nine) + 1 || nine;
  return { train: train.slice(0, cut), test: train.slice(cut), ...kept };
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(gunzipIfPacked(bytes, where));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${where}: must be text in UTF-8, got other bytes. Convert it, for example with iconv.`, {
      cause,
    });
  }
}
