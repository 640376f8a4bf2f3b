import { describe, expect, it } from "vitest";
import { Graph, Node, Program, Value } from "../../program/index.ts";
import { isQuantized } from "./is-quantized.ts";

const programWith = (operator: string, domain = ""): Program =>
  new Program(new Graph("g", { nodes: [new Node(operator, [], [new Value("y")], { domain })] }));

describe("isQuantized", () => {
  it.each([
    ["QuantizeLinear", ""], ["DequantizeLinear", ""], ["DynamicQuantizeLinear", ""], ["QLinearConv", ""],
    ["QLinearMatMul", ""], ["ConvInteger", ""], ["MatMulInteger", ""], ["MatMulNBits", "com.microsoft"],
    ["GatherBlockQuantized", "com.microsoft"], ["DynamicQuantizeMatMul", "com.microsoft"], ["QGemm", "com.microsoft"],
    ["MatMulIntegerToFloat", "com.microsoft"], ["QLinearAdd", "com.microsoft"], ["QAttention", "com.microsoft"],
  ])("recognizes %s of domain '%s'", (operator, domain) => {
    expect(isQuantized(programWith(operator, domain))).toBe(true);
  }); // biome-ignore format: a table

  it.each([
    ["Conv", ""],
    ["MatMul", ""],
    ["QuickGelu", "com.microsoft"],
    ["QuantizeLinear", "my.own"],
  ])("does not take %s of domain '%s' for quantized", (operator, domain) => {
    expect(isQuantized(programWith(operator, domain))).toBe(false);
  });

  it("looks into sub-graphs", () => {
    const inner = programWith("MatMulInteger").graph;
    const node = new Node("Loop", [], [new Value("y")], { attributes: { body: inner } });
    expect(isQuantized(new Program(new Graph("g", { nodes: [node] })))).toBe(true);
  });
});
