/** A network of ResNet-50's shape with random weights, batch norms already folded: 25.5 million parameters. */
import { constantValue, Emitter, Graph, Program, Value } from "../src/program/index.ts";
import { elementCount, float32, type Random, seededRandom, type Tensor } from "../src/tensor/index.ts";

/** Bottleneck blocks of each stage, and their widths. */
const STAGES = [
  { blocks: 3, width: 64 },
  { blocks: 4, width: 128 },
  { blocks: 6, width: 256 },
  { blocks: 3, width: 512 },
] as const;

/** Builds the network: `input` [batch, 3, 224, 224] to `logits` [batch, 1000]. */
export function resnet50Shaped(): Program {
  const builder = new NetworkBuilder(seededRandom(0));
  const input = new Value("input", "float32", ["batch", 3, 224, 224]);
  let x = builder.relu(builder.conv(input, 3, 64, 7, 2));
  x = builder.emitter.emit("MaxPool", [x], {
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  });
  let channels = 64;
  for (const [stage, { blocks, width }] of STAGES.entries()) {
    for (let block = 0; block < blocks; block++) {
      x = builder.bottleneck(x, channels, width, block === 0 && stage > 0 ? 2 : 1);
      channels = width * 4;
    }
  }
  const pooled = builder.emitter.emit("Flatten", [builder.emitter.emit("GlobalAveragePool", [x])]);
  const weights = [
    constantValue("fc.weight", builder.weights([1000, channels])),
    constantValue("fc.bias", builder.weights([1000])),
  ];
  const logits = builder.emitter.emit("Gemm", [pooled, ...weights], {
    attributes: { transB: 1 },
    output: "logits",
    dtype: "float32",
    shape: ["batch", 1000],
  });
  return new Program(
    new Graph("resnet-50-shaped", { inputs: [input], outputs: [logits], nodes: builder.emitter.nodes }),
  );
}

class NetworkBuilder {
  readonly emitter: Emitter = new Emitter();
  readonly #random: Random;
  #layers = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  bottleneck(x: Value, channels: number, width: number, stride: number): Value {
    const reduced = this.relu(this.conv(x, channels, width, 1, 1));
    const spread = this.relu(this.conv(reduced, width, width, 3, stride));
    const expanded = this.conv(spread, width, width * 4, 1, 1);
    const shortcut = channels === width * 4 && stride === 1 ? x : this.conv(x, channels, width * 4, 1, stride);
    return this.relu(this.emitter.emit("Add", [expanded, shortcut]));
  }

  conv(x: Value, inputs: number, outputs: number, size: number, stride: number): Value {
    const name = `conv${this.#layers++}`;
    const pad = (size - 1) / 2;
    const weights = [
      constantValue(`${name}.weight`, this.weights([outputs, inputs, size, size])),
      constantValue(`${name}.bias`, this.weights([outputs])),
    ];
    return this.emitter.emit("Conv", [x, ...weights], {
      name,
      attributes: { kernel_shape: [size, size], strides: [stride, stride], pads: [pad, pad, pad, pad] },
    });
  }

  relu(x: Value): Value {
    return this.emitter.emit("Relu", [x]);
  }

  /** He initialization: keeps the variance of activations behind ReLU. */
  weights(shape: readonly number[]): Tensor {
    const fanIn = shape.slice(1).reduce((product, length) => product * length, 1);
    const sigma = Math.sqrt(2 / fanIn);
    return float32(
      shape,
      Float32Array.from({ length: elementCount(shape) }, () => this.#random.normal() * sigma),
    );
  }
}
