import type { Layer } from "../../../src/build/index.ts";
import { nn } from "../../../src/index.ts";
import { type BlockPlan, type ConvolutionPlan, planBlocks } from "../cases/residual-network.ts";

/** The residual network whose parameters `cases/residual-network.ts` lists. */
export function residualNetwork(stageChannels: readonly number[], blocksPerStage: number, classes: number): Layer {
  const relu = nn.relu();
  const stem = { inChannels: 3, outChannels: stageChannels[0]!, kernel: 3, stride: 1 };
  const blocks = planBlocks(stageChannels, blocksPerStage);
  return (x, scope) => {
    const start = relu(normalized(stem, "conv", "norm")(x, scope.child("stem")), scope);
    const features = blocks.reduce((value, plan) => {
      // Named stages.<stage>.<block>.
      const place = plan.name.split(".").reduce((parent, name) => parent.child(name), scope);
      return basicBlock(plan)(value, place);
    }, start);
    return nn.linear(classes)(nn.globalAveragePool()(features, scope), scope.child("head"));
  };
}

function basicBlock({ first, second, shortcut }: BlockPlan): Layer {
  const relu = nn.relu();
  return (x, scope) => {
    const inner = relu(normalized(first, "conv1", "norm1")(x, scope), scope);
    const y = normalized(second, "conv2", "norm2")(inner, scope);
    const skipped = shortcut ? normalized(shortcut, "conv", "norm")(x, scope.child("shortcut")) : x;
    return relu(scope.ops.add(y, skipped), scope);
  };
}

/** A convolution and the batch norm behind it, as two parts of one scope. */
function normalized({ outChannels, kernel, stride }: ConvolutionPlan, conv: string, norm: string): Layer {
  const convolution = nn.conv({ channels: outChannels, kernel, stride, padding: (kernel - 1) / 2, bias: false });
  return (x, scope) => nn.batchNorm()(convolution(x, scope.child(conv)), scope.child(norm));
}
