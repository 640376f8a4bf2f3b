/** The networks of the training experiments. */

import type { Layer } from "../../src/build/index.ts";
import { nn } from "../../src/index.ts";

/** Convolution, batch normalization, ReLU. */
function convolution(channels: number, { stride = 1, kernel = 3 } = {}): Layer {
  return nn.sequential([
    nn.conv({ channels, kernel, stride, padding: (kernel - 1) / 2, bias: false, weight: nn.heNormal() }),
    nn.batchNorm(),
    nn.relu(),
  ]);
}

/** A small convnet for pictures of 28 by 28 or 32 by 32: three stages, 16, 32 and 64 channels. */
export const smallConvnet: Layer = nn.sequential({
  stem: convolution(16),
  down1: convolution(32, { stride: 2 }),
  body1: convolution(32),
  down2: convolution(64, { stride: 2 }),
  body2: convolution(64),
  pool: nn.globalAveragePool(),
  flatten: nn.flatten(),
  head: nn.linear(10),
});

/** ResNet-20 for CIFAR: He et al. 2015, arXiv:1512.03385, section 4.2, with 1x1 convolutions where the shape changes. */
export const resnet20: Layer = nn.sequential({
  stem: convolution(16),
  stage1: stage(16, 1),
  stage2: stage(32, 2),
  stage3: stage(64, 2),
  pool: nn.globalAveragePool(),
  flatten: nn.flatten(),
  head: nn.linear(10),
});

function stage(channels: number, stride: number): Layer {
  return nn.sequential([block(channels, stride), block(channels, 1), block(channels, 1)]);
}

function block(channels: number, stride: number): Layer {
  const plain = { channels, kernel: 3, padding: 1, bias: false, weight: nn.heNormal() };
  const body = nn.sequential([convolution(channels, { stride }), nn.conv(plain), nn.batchNorm()]);
  const shortcut = nn.sequential([nn.conv({ ...plain, kernel: 1, padding: 0, stride }), nn.batchNorm()]);
  const sum = nn.residual(body, stride === 1 ? undefined : shortcut);
  return nn.sequential([sum, nn.relu()]);
}
