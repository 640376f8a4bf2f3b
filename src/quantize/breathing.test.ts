import { expect, it } from "vitest";
import { breathing } from "./breathing.ts";

it("goes on until the signal is aborted, then throws its reason", async () => {
  const stop = new AbortController();
  const breathe = breathing(stop.signal);
  await breathe();
  stop.abort(new Error("changed my mind"));
  await expect(breathe()).rejects.toThrow("changed my mind");
});

it("never stops without a signal, and lets timers have their turn in long work", async () => {
  const breathe = breathing(undefined);
  let fired = false;
  setTimeout(() => {
    fired = true;
  });
  const started = performance.now();
  while (!fired && performance.now() - started < 10_000) await breathe();
  expect(fired).toBe(true);
});
