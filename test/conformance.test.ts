/** ONNX's own operator cases: every one passes, or is listed with the reason why it cannot. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeRuntime } from "../src/runtime/node.ts";
import { judgeCase } from "./support/conformance-case.ts";
import { onnxNodeTests } from "./support/shared-data.ts";

const record = JSON.parse(readFileSync(new URL("./conformance.json", import.meta.url), "utf8")) as {
  cases: number;
  exceptions: Readonly<Record<string, readonly string[]>>;
};

describe("ONNX's operator cases", () => {
  it("pass, but for those that are listed with the reason", async ({ skip }) => {
    const files = onnxNodeTests();
    if (!files) return skip("the operator cases are not there");
    const runtime = await nodeRuntime({ threads: 1 });
    const listed = new Map(
      Object.entries(record.exceptions).flatMap(([reason, cases]) => cases.map((name) => [name, reason])),
    );
    const folders = [...files.keys()].filter((file) => file.endsWith("/model.onnx"));
    const surprises: string[] = [];
    for (const file of folders) {
      const folder = file.slice(0, -"/model.onnx".length);
      const name = folder.replace("node/test_", "");
      const { reason, detail } = await judgeCase(files, folder, runtime);
      if (reason !== listed.get(name))
        surprises.push(`${name}: ${reason ?? "passes"} ${detail ?? ""}, listed as ${listed.get(name)}`);
    }
    expect(surprises).toEqual([]);
    expect(folders.length).toBe(record.cases);
  }, 120_000);

  it("are judged: changed numbers, a changed shape and a changed type are seen", async ({ skip }) => {
    const files = onnxNodeTests();
    if (!files) return skip("the operator cases are not there");
    const runtime = await nodeRuntime({ threads: 1 });
    const output = (name: string) => files.get(`node/test_${name}/test_data_set_0/output_0.pb`)!;
    const withOutput = (bytes: Uint8Array) => new Map(files).set("node/test_relu/test_data_set_0/output_0.pb", bytes);
    expect((await judgeCase(files, "node/test_relu", runtime)).reason).toBeUndefined();
    const otherNumbers = await judgeCase(withOutput(output("abs")), "node/test_relu", runtime);
    expect(otherNumbers.reason).toBe("ONNX Runtime gives another result");
    const otherShape = await judgeCase(withOutput(output("matmul_2d")), "node/test_relu", runtime);
    expect(otherShape.reason).toBe("wrong shape or type inferred");
    const otherType = await judgeCase(withOutput(output("isnan")), "node/test_relu", runtime);
    expect(otherType.reason).toBe("ONNX Runtime gives another result");
  });
});
