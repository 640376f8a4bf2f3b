/** Checks that throw, for cases that run where no test framework is. */
import { elementCount, type Tensor } from "../tensor/index.ts";

/** Throws unless the two are the same. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
}

/** Throws unless type, shape and every element are the same, bit for bit (NaN equals NaN, 0 is not -0). */
export function expectEqual(actual: Tensor | undefined, expected: Tensor, what: string): void {
  if (actual === undefined) throw new Error(`${what}: expected a tensor, got none`);
  expectSame(`${actual.dtype} [${actual.shape}]`, `${expected.dtype} [${expected.shape}]`, what);
  expectSame(actual.data.constructor.name, expected.data.constructor.name, `${what}: array`);
  for (let i = 0; i < elementCount(expected.shape); i++) {
    if (!Object.is(actual.data[i], expected.data[i]))
      expectSame(actual.data[i], expected.data[i], `${what}: element ${i}`);
  }
}

/** Throws unless the first element is within the tolerance, for the reason given. */
export function expectClose(actual: Tensor | undefined, expected: number, tolerance: number, reason: string): void {
  const value = (actual?.data as Float32Array | undefined)?.[0];
  if (value !== undefined && Math.abs(value - expected) <= tolerance) return;
  throw new Error(`expected ${expected} within ${tolerance} (${reason}), got ${value}`);
}

/** Returns the message of the failure, which must have the code and contain the text. */
export async function expectFailure(work: () => Promise<unknown>, code: string, text: string): Promise<string> {
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) throw new Error(`expected a failure with "${text}", got none`);
  const { message, code: actual } = error as Error & { code?: string };
  if (actual !== code || !message.includes(text)) {
    throw new Error(`expected a failure of code ${code} with "${text}", got ${actual}: ${message}`);
  }
  return message;
}
