/** Unpacking gzip and zip without being made to allocate more than the packed bytes can hold. */
import { gunzipSync, type Unzipped, unzipSync } from "fflate";
import { DataError } from "../errors.ts";

/** Deflate cannot pack better than 1032 to 1; whatever claims more is damaged or hostile. */
const BEST_RATIO = 1032;
const SLACK_BYTES = 4096;

/**
 * Returns the content of a gzip file, or the bytes as they are when they are not gzip.
 *
 * @param where Name of the file, for messages.
 * @throws DataError if the file is damaged or truncated.
 */
export function gunzipIfPacked(bytes: Uint8Array, where: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  if (bytes.length < 18) throw new DataError(`${where}: a gzip file must have 18 bytes at least, got ${bytes.length}.`);
  const claimed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  if (claimed > bytes.length * BEST_RATIO + SLACK_BYTES) throw damaged("gzip", where);
  let content: Uint8Array;
  try {
    content = gunzipSync(bytes);
  } catch (cause) {
    throw damaged("gzip", where, cause);
  }
  if (content.length !== claimed) throw damaged("gzip", where);
  return content;
}

/**
 * Returns the files of a zip archive by name.
 *
 * @param where Name of the archive, for messages.
 * @throws DataError if the archive is damaged or truncated.
 */
export function unzipFiles(bytes: Uint8Array, where: string): Unzipped {
  try {
    return unzipSync(bytes, {
      filter: ({ size, originalSize }) => {
        if (size > bytes.length || originalSize > size * BEST_RATIO + SLACK_BYTES) throw damaged("zip", where);
        return true;
      },
    });
  } catch (cause) {
    throw cause instanceof DataError ? cause : damaged("zip", where, cause);
  }
}

function damaged(kind: string, where: string, cause?: unknown): DataError {
  const reason = cause instanceof Error ? ` (${cause.message})` : "";
  return new DataError(`${where}: must be a whole ${kind} file, got a damaged or truncated one${reason}.`, { cause });
}
