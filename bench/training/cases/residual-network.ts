/**
 * Residual networks for 32x32 pictures (He et al. 2016, arXiv:1512.03385): a 3x3 stem, stages of basic blocks (two 3x3
 * convolutions, batch norm after each), global average pool, one linear layer. The first block of later stages halves the
 * picture; where the shape changes, the shortcut is a strided 1x1 convolution with batch norm, as in the code of the papers
 * that Modicum follows. No convolution has a bias.
 */
import { type CaseName, linear, normalization, type ParameterSpec, type TrainingCase } from "./case.ts";

/** One convolution with the batch norm behind it. */
export interface ConvolutionPlan {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
}

/** One basic block; `shortcut` only where the shape changes. Its names begin `stages.<stage>.<block>`. */
export interface BlockPlan {
  readonly name: string;
  readonly first: ConvolutionPlan;
  readonly second: ConvolutionPlan;
  readonly shortcut?: ConvolutionPlan;
}

const PICTURE = 32;
const CLASSES = 10;

/** The blocks of a network, in order. */
export function planBlocks(stageChannels: readonly number[], blocksPerStage: number): BlockPlan[] {
  let channels = stageChannels[0]!;
  return stageChannels.flatMap((outChannels, stage) =>
    Array.from({ length: blocksPerStage }, (_, block) => {
      const inChannels = channels;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      channels = outChannels;
      const plan = {
        name: `stages.${stage}.${block}`,
        first: { inChannels, outChannels, kernel: 3, stride },
        second: { inChannels: outChannels, outChannels, kernel: 3, stride: 1 },
      };
      return stride === 1 ? plan : { ...plan, shortcut: { inChannels, outChannels, kernel: 1, stride } };
    }),
  );
}

/** Names: `stem.conv`, `stem.norm`, `<block>.conv1`, `.norm1`, `.conv2`, `.norm2`, `.shortcut.conv`, `.shortcut.norm`, `head`. */
export function residualNetwork(
  name: CaseName,
  stageChannels: readonly number[],
  blocksPerStage: number,
  batch: number,
): TrainingCase {
  const parameters: ParameterSpec[] = [];
  let macs = 0;
  let size = PICTURE;
  const add = (convolution: string, norm: string, plan: ConvolutionPlan, outSize: number) => {
    const fanIn = plan.inChannels * plan.kernel ** 2;
    const shape = [plan.outChannels, plan.inChannels, plan.kernel, plan.kernel];
    parameters.push({ name: `${convolution}.weight`, shape, initial: { deviation: Math.sqrt(2 / fanIn) } });
    parameters.push(...normalization(norm, plan.outChannels));
    macs += fanIn * plan.outChannels * outSize ** 2;
  };
  add("stem.conv", "stem.norm", { inChannels: 3, outChannels: stageChannels[0]!, kernel: 3, stride: 1 }, size);
  for (const block of planBlocks(stageChannels, blocksPerStage)) {
    size /= block.first.stride;
    add(`${block.name}.conv1`, `${block.name}.norm1`, block.first, size);
    add(`${block.name}.conv2`, `${block.name}.norm2`, block.second, size);
    if (block.shortcut) add(`${block.name}.shortcut.conv`, `${block.name}.shortcut.norm`, block.shortcut, size);
  }
  const features = stageChannels.at(-1)!;
  return {
    name,
    description: `ResNet-${2 * stageChannels.length * blocksPerStage + 2} (CIFAR, ${stageChannels.join("-")} channels), batch ${batch}`,
    batch,
    input: { kind: "numbers", shape: [3, PICTURE, PICTURE] },
    classes: CLASSES,
    parameters: [...parameters, ...linear("head", features, CLASSES)],
    forwardMacs: batch * (macs + features * CLASSES),
  };
}
