import { describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { klDivergence } from "./kl-divergence.ts";
import { huber, meanAbsoluteError, meanSquaredError, smoothL1 } from "./regression-losses.ts";

const losses = { meanSquaredError, meanAbsoluteError, huber, smoothL1, binaryCrossEntropy, klDivergence };

describe.each(Object.entries(losses))("%s", (name, loss) => {
  it("refuses a target that would have to be broadcast", () => {
    const { ops, scope } = buildScope("auxiliary");
    const act = () => loss(ops.input("x", "float32", [8, 1]), ops.input("t", "float32", [8]), scope);
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(
      `${name} (auxiliary): prediction and target must have one shape, got [8, 1] and [8]. ` +
        "Shapes are not broadcast here: that would hide mistakes.",
    );
  });

  it("refuses a target of another element type", () => {
    const { ops, scope } = buildScope();
    const act = () => loss(ops.input("x", "float32", [8]), ops.input("t", "float64", [8]), scope);
    expect(act).toThrow(DTypeError);
    expect(act).toThrow(/^\w+: prediction and target must have one element type, got float32 and float64\./);
  });

  it("carries its name in its nodes", () => {
    const { ops, scope } = buildScope("auxiliary");
    loss(ops.input("x", "float32", [8]), ops.input("t", "float32", [8]), scope);
    expect(ops.writer.graph.nodes.every((node) => node.name.startsWith(`auxiliary.${name}/`))).toBe(true);
  });
});

describe("options of losses", () => {
  it("must be in range", () => {
    const { ops, scope } = buildScope();
    const [x, t] = [ops.input("x", "float32", [8, 3]), ops.input("t", "float32", [8, 3])];
    expect(() => huber(x, t, scope, { delta: 0 })).toThrow("huber: delta must be positive, got 0.");
    expect(() => smoothL1(x, t, scope, { beta: -1 })).toThrow(OptionError);
    expect(() => binaryCrossEntropy(x, t, scope, { positiveWeight: [1, 2] })).toThrow(
      "binaryCrossEntropy: positiveWeight must have one number along the last axis of the scores, got 2 for [8, 3].",
    );
  });
});
