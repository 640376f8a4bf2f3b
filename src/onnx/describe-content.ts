/** Telling what a file that is not an ONNX model is instead, for a message that helps. */

/** First bytes of common formats. */
// biome-ignore format: a table
const SIGNATURES: readonly (readonly [readonly number[], string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP archive (a PyTorch .pt file is one too: export it to ONNX first)"],
  [[0x80, 0x02], "a Python pickle"],
  [[0x80, 0x04], "a Python pickle"],
  [[0xff, 0xd8, 0xff], "a JPEG picture"],
  [[0x89, 0x50, 0x4e, 0x47], "a PNG picture"],
  [[0x47, 0x49, 0x46, 0x38], "a GIF picture"],
  [[0x52, 0x49, 0x46, 0x46], "a RIFF file (WebP picture or WAV sound)"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF document"],
  [[0x1f, 0x8b], "gzip-compressed data: unpack it first"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz-compressed data: unpack it first"],
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed data: unpack it first"],
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file (Keras weights are one: export to ONNX first)"],
  [[0x47, 0x47, 0x55, 0x46], "a GGUF file"],
  [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "a NumPy array (.npy)"],
  [[0x7f, 0x45, 0x4c, 0x46], "an ELF program"],
  [[0x4d, 0x5a], "a Windows program"],
];

const LARGEST_SAMPLE_BYTES = 4096;

/** Returns what a file looks like, or undefined when it may well be (a damaged piece of) an ONNX model. */
export function describeContent(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength === 0) return "an empty file";
  const signature = SIGNATURES.find(([start]) => start.every((byte, i) => bytes[i] === byte));
  if (signature) return signature[1];
  const tag = new TextDecoder("latin1");
  if (tag.decode(bytes.subarray(4, 8)) === "TFL3") return "a TensorFlow Lite model";
  if (tag.decode(bytes.subarray(4, 8)) === "ORTM")
    return "a model in ONNX Runtime's own .ort format: give the .onnx file";
  if (bytes.byteLength > 9 && bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0) return "a safetensors file";
  return describeText(bytes.subarray(0, LARGEST_SAMPLE_BYTES), bytes.byteLength > LARGEST_SAMPLE_BYTES);
}

function describeText(sample: Uint8Array, isCut: boolean): string | undefined {
  const text = decodeStrictly(sample, isCut);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary data from text
  if (text === undefined || /[\u0000-\u0008\u000e-\u001f]/.test(text)) return undefined;
  const start = text.trimStart().slice(0, 200).toLowerCase();
  if (start.startsWith("version https://git-lfs")) {
    return "a Git LFS pointer: the model itself was not downloaded (run git lfs pull)";
  }
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) {
    return "an HTML page (a download that met a login or error page?)";
  }
  if (start.startsWith("<?xml") || start.startsWith("<svg")) return "an XML document";
  if (start.startsWith("{") || start.startsWith("[")) return "JSON text";
  return "text";
}

function decodeStrictly(bytes: Uint8Array, isCut: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
