import { describe, expect, it } from "vitest";
import { OptionError } from "../../errors.ts";
import { headCosts } from "./head-costs.ts";

describe("headCosts", () => {
  it.each([
    [855_770, 64, 10, 0.07],
    [800_032, 342, 100, 4.2],
    [25_557_032, 2048, 1000, 8.01],
    [14_149_480, 1664, 1000, 11.76],
    [1_826_555, 960, 1000, 52.56],
  ])("gives the published share of %i parameters with a head of %i x %i", (parameters, features, classes, percent) => {
    const { headShare } = headCosts({ parameters, features, classes, head: "linear" });
    expect(Math.abs(100 * headShare - percent)).toBeLessThan(percent === 4.2 ? 0.1 : 0.006);
  });

  it("counts what a fixed head saves", () => {
    const network = { parameters: 25_557_032, features: 2048, classes: 1000, batchSize: 64 };
    const learned = headCosts({ ...network, head: "linear" });
    const fast = headCosts({ ...network, head: "fast" });
    expect(learned.trainable - fast.trainable).toBe(2_048_000 - 1);
    expect(learned.checkpointBytes - fast.checkpointBytes).toBe(2 * 4 * (2_048_000 - 1));
    expect(learned.weightGradientMultiplyAdds).toBe(64 * 2_048_000);
    expect(fast).toMatchObject({ headBytes: 0, multiplyAdds: 0, additions: 22_528, weightGradientMultiplyAdds: 0 });
    expect(headCosts({ ...network, head: "signs" })).toMatchObject({ headBytes: 256_000, additions: 2_048_000 });
    expect(headCosts({ ...network, head: "dense" })).toMatchObject({ headBytes: 8_192_000, multiplyAdds: 2_048_000 });
    expect(headCosts({ ...network, head: "generated", slots: 2 }).optimizerBytes).toBe(8 * fast.trainable);
    expect(() => headCosts({ ...network, classes: 0, head: "fast" })).toThrow(OptionError);
  });
});
