/**
 * A training step as text, as it is meant and as it runs: a convolution with batch norm and ReLU, a linear head, SGD with
 * momentum. Written anew by `MODICUM_UPDATE_GOLDEN=1 npx vitest run test/train/golden`; review the difference.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { nn, optim, printProgram, trainStep } from "../../src/index.ts";
import { lowerProgram } from "../../src/lower/index.ts";
import { cloneProgram, type Program } from "../../src/program/index.ts";

const model = nn.sequential({
  stem: nn.conv({ channels: 4, kernel: 3, stride: 2, padding: 1, bias: false }),
  norm: nn.batchNorm(),
  relu: nn.relu(),
  pool: nn.globalAveragePool(),
  flatten: nn.flatten(),
  head: nn.linear(3),
});

const { program } = trainStep({
  inputs: { image: { shape: [2, 1, 8, 8] }, label: { shape: [2], dtype: "int64" } },
  loss: ({ image, label }, scope) => nn.crossEntropy(model(image!, scope), label!, scope),
  optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
});

function lowered(device: "wasm" | "webgpu"): Program {
  const copy = cloneProgram(program).program;
  lowerProgram(copy, { device });
  return copy;
}

it.each([
  ["train-step-meaning", () => program],
  ["train-step-wasm", () => lowered("wasm")],
  ["train-step-webgpu", () => lowered("webgpu")],
])("%s is as it was reviewed", (name, make) => {
  const path = new URL(`../golden/${name}.txt`, import.meta.url);
  const text = printProgram(make());
  if (process.env.MODICUM_UPDATE_GOLDEN) writeFileSync(path, text);
  expect(existsSync(path)).toBe(true);
  expect(text).toBe(readFileSync(path, "utf8"));
});

it("holds no operator of our own once it is lowered", () => {
  for (const device of ["wasm", "webgpu"] as const) {
    expect([...lowered(device).allNodes()].filter(({ domain }) => domain === "modicum")).toEqual([]);
  }
  expect([...program.allNodes()].some(({ domain }) => domain === "modicum")).toBe(true);
});
