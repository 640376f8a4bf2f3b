import { describe, expect, it } from "vitest";
import { runMain } from "./run-main.cases.ts";

describe("the command line", () => {
  it("prints help with every command and examples, and exits 0", async () => {
    const { code, stdout, stderr } = await runMain(["--help"]);
    expect(code).toBe(0);
    for (const word of ["inspect", "quantize", "evaluate", "compare", "Examples:", "Exit codes"]) {
      expect(stdout).toContain(word);
    }
    expect(stderr).toBe("");
  });

  it.each(["inspect", "quantize", "evaluate", "compare", "tune"])("prints help for %s with examples", async (name) => {
    for (const argv of [
      [name, "--help"],
      ["help", name],
    ]) {
      const { code, stdout } = await runMain(argv);
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: modicum ${name}`);
      expect(stdout).toContain("Examples:");
      expect(stdout).toContain("--json");
    }
  });

  it("prints the package's version", async () => {
    const { code, stdout } = await runMain(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("shows the help on stderr and exits 2 when no command is given", async () => {
    const { code, stdout, stderr } = await runMain([]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("Usage: modicum");
    expect(stderr).toContain("error: a command must be given, got none.");
  });

  it("suggests what was meant by an unknown command or option", async () => {
    const command = await runMain(["quantise"]);
    expect(command.code).toBe(2);
    expect(command.stderr).toBe("error: unknown command 'quantise' (Did you mean quantize?) See `modicum --help`.\n");
    const option = await runMain(["quantize", "model.onnx", "--weigths", "4"]);
    expect(option.code).toBe(2);
    expect(option.stderr).toBe(
      "error: unknown option '--weigths' (Did you mean --weights?) See `modicum quantize --help`.\n",
    );
  });

  it("exits 2 for a missing argument and for one too many", async () => {
    expect(await runMain(["inspect"])).toMatchObject({
      code: 2,
      stderr: "error: missing required argument 'model'. See `modicum inspect --help`.\n",
    });
    expect((await runMain(["inspect", "a.onnx", "b.onnx"])).code).toBe(2);
  });

  it("puts failures on stdout as JSON with --json, and on stderr as text", async () => {
    const { code, stdout, stderr } = await runMain(["inspect", "no-such.onnx", "--json"]);
    expect(code).toBe(1);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe("file");
    expect(error.message).toContain("no-such.onnx");
    expect(stderr).toBe(`error: ${error.message}\n`);
    const usage = await runMain(["inspect", "--json"]);
    expect(JSON.parse(usage.stdout)).toMatchObject({ error: { code: "usage" } });
    expect(usage.code).toBe(2);
  });

  it("prints a stack only with --debug", async () => {
    expect((await runMain(["inspect", "no-such.onnx"])).stderr).not.toContain("    at ");
    expect((await runMain(["inspect", "no-such.onnx", "--debug"])).stderr).toContain("    at ");
  });
});
