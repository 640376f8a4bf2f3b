/** Who Modicum is measured against, and how each is started. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TrainingCase } from "./cases/case.ts";
import { type SideCommand, SideFailure } from "./side.ts";

export const PEER_NAMES = [
  "pytorch",
  "pytorch-bfloat16",
  "pytorch-compile",
  "tfjs-wasm",
  "tfjs-cpu",
  "jax-js",
] as const;

export type PeerName = (typeof PEER_NAMES)[number];

/** A library that trains the same models. */
export interface Peer {
  /** Its ways to run a case; the fastest is measured. */
  variants(one: TrainingCase): readonly string[];
  /** Largest relative difference of the first losses to ours. Default: what rounding in float32 explains. */
  readonly lossTolerance?: number;
  /** @throws SideFailure saying what is missing on this machine. */
  command(): Promise<SideCommand>;
}

/** bfloat16 has 8 significant bits. */
const BFLOAT16_TOLERANCE = 2e-2;

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL("../peers/", import.meta.url));
const NODE_ARGS = ["--import", "tsx"];

/** A side in TypeScript or JavaScript, by its path from this folder. */
export function nodeSide(path: string): SideCommand {
  return { command: process.execPath, args: [...NODE_ARGS, fileURLToPath(new URL(path, import.meta.url))] };
}

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  pytorch: {
    // oneDNN's convolutions like channels-last better on some machines.
    variants: (one) => (one.name.startsWith("resnet") ? ["contiguous", "channels_last"] : ["contiguous"]),
    command: python,
  },
  // Autocast: what PyTorch offers in fewer bits on CPU.
  "pytorch-bfloat16": { variants: () => ["bfloat16"], lossTolerance: BFLOAT16_TOLERANCE, command: python },
  "pytorch-compile": { variants: () => ["compile"], command: python },
  "tfjs-wasm": { variants: () => ["wasm"], command: () => npmPeer("tfjs.mjs") },
  "tfjs-cpu": { variants: () => ["cpu"], command: () => npmPeer("tfjs.mjs") },
  "jax-js": { variants: () => ["wasm"], command: () => npmPeer("jax-js.mjs") },
};

/** The first Python that has PyTorch: the one named by the variable PYTHON, or else python3. */
async function python(): Promise<SideCommand> {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "python"];
  for (const command of candidates) {
    try {
      await run(command, ["-c", "import torch"]);
      return { command, args: [`${FOLDER}pytorch.py`] };
    } catch {
      // Not there, or without PyTorch: both mean the next one.
    }
  }
  throw new SideFailure(
    `no Python with PyTorch (tried ${candidates.join(", ")}); pip install torch, and name that Python in PYTHON`,
  );
}

let installation: Promise<unknown> | undefined;

/** A side whose packages are those of `../peers/`, installed on first use. */
async function npmPeer(script: string): Promise<SideCommand> {
  if (!existsSync(`${FOLDER}node_modules`)) {
    process.stderr.write("installing the npm peers into bench/peers (once)\n");
    // Without a shell npm cannot be found on Windows.
    const shell = process.platform === "win32";
    installation ??= run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: FOLDER, shell });
  }
  try {
    await installation;
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    const reason = stderr.split("\n").find((line) => line.startsWith("npm error")) ?? (error as Error).message;
    throw new SideFailure(`npm ci in bench/peers failed: ${reason}`);
  }
  return nodeSide(`../peers/${script}`);
}
