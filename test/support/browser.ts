/** Running modules in headless Chromium. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { CHROMIUM } from "./engines.ts";

/** Time limit for tests that start a browser: enough for a busy machine, and for WebGPU without a GPU. */
export const BROWSER_TIMEOUT_MS = 180_000;

/** What to run, and with what. */
export interface BrowserRun {
  /** A module, TypeScript or JavaScript, that exports `run(args)`; bundled for the page. */
  readonly entry: URL;
  /** Handed to `run`; plain JSON. */
  readonly args?: unknown;
  /** Bytes the page can fetch as `/files/<name>`, such as models. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Starts Chromium with WebGPU on its software renderer. Default false. */
  readonly webgpu?: boolean;
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const WEBGPU_FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

const ONNX_RUNTIME_FILES = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Bundles a module, runs its `run(args)` in a page of headless Chromium, and returns what it resolves to (plain JSON). The
 * page is cross-origin isolated, so that WASM has threads.
 *
 * @throws Error with the page's own message and console output when `run` throws.
 * @example
 * const sizes = await runInBrowser<number[]>({ entry: new URL("./quantize.page.ts", import.meta.url), files: { model } });
 */
export async function runInBrowser<Result>({ entry, args, files = {}, webgpu = false }: BrowserRun): Promise<Result> {
  const server = await serve(await bundle(entry), files);
  const profile = await mkdtemp(join(tmpdir(), "modicum-chromium-"));
  let context: BrowserContext | undefined;
  const lines: string[] = [];
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: [...FLAGS, ...(webgpu ? WEBGPU_FLAGS : [])],
    });
    const page = await context.newPage();
    page.on("console", (message) => lines.push(message.text()));
    page.on("pageerror", (error) => lines.push(String(error)));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    // As text: a function's import() would be rewritten by the test runner.
    return await page.evaluate<Result>(
      `import("/entry.js").then((module) => module.run(${JSON.stringify(args ?? null)}))`,
    );
  } catch (error) {
    throw new Error(`in the page: ${(error as Error).message}\n${lines.join("\n")}`, { cause: error });
  } finally {
    await context?.close();
    server.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Returns the files of a bundle for browsers by name; the entry is `entry.js`. Throws when something needs Node. */
export async function bundle(entry: URL, external: string[] = []): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { entry: fileURLToPath(entry) },
    external,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    outdir: "/",
    write: false,
    logLevel: "silent",
  });
  return new Map(outputFiles.map((file) => [basename(file.path), file.contents]));
}

async function serve(
  bundled: ReadonlyMap<string, Uint8Array>,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    content(path, bundled, files).then(
      (bytes) => {
        response.writeHead(200, {
          "content-type": CONTENT_TYPES[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream",
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-embedder-policy": "require-corp",
        });
        response.end(bytes);
      },
      () => {
        response.writeHead(404);
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return server;
}

async function content(
  path: string,
  bundled: ReadonlyMap<string, Uint8Array>,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array | string> {
  if (path === "/") return "<!doctype html><title>modicum</title>";
  const name = basename(path);
  const known = path.startsWith("/files/") ? files[path.slice("/files/".length)] : bundled.get(name);
  // ONNX Runtime asks for its WASM beside the script it was bundled into.
  return known ?? readFile(new URL(name, ONNX_RUNTIME_FILES));
}
