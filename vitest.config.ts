import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["test/support/fast-check-seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What loads onnxruntime-node by itself, as transformers.js does, would send telemetry otherwise.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    maxWorkers: 2,
  },
});
