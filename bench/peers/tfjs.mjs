/**
 * The TensorFlow.js side of the benchmark: see ../training/serve.ts for the conversation, ../README.md for the cases.
 * Variants: "cpu" (plain JavaScript) and "wasm" (in Node without threads).
 */
import { serve } from "../training/serve.ts";

/** @type {typeof import("@tensorflow/tfjs")} */
let tf;
let backend = "";

async function build(loaded) {
  const weights = new Map();
  const trained = loaded.parameters.map(({ name, shape, values }) => {
    const variable = tf.variable(toTfjsLayout(tf.tensor(values, shape), name), true, name);
    weights.set(name, variable);
    return variable;
  });
  const model = MODELS[loaded.case.name]((name) => weights.get(name));
  const { input, batch, classes } = loaded.case;
  const batches = loaded.batches.map(({ inputs, labels }) => ({
    inputs:
      input.kind === "tokens"
        ? tf.tensor(inputs, [batch, input.length], "int32")
        : toTfjsLayout(tf.tensor(inputs, [batch, ...input.shape]), "inputs"),
    labels: tf.oneHot(tf.tensor1d(labels, "int32"), classes),
  }));
  const { learningRate, momentum } = loaded.optimizer;
  const optimizer = tf.train.momentum(learningRate, momentum);
  return {
    version: tf.version_core,
    settings: `${backend} backend${backend === "wasm" ? " (SIMD)" : ""}, Node ${process.versions.node}`,
    threads: 1,
    step(_batch, index) {
      const { inputs, labels } = batches[index];
      const loss = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(labels, model(inputs)),
        true,
        trained,
      );
      const [value] = loss.dataSync();
      loss.dispose();
      return value;
    },
  };
}

/** From PyTorch's layouts: pictures to channels-last, convolutions to [height, width, in, out], linear to [in, out]. */
function toTfjsLayout(tensor, name) {
  if (tensor.rank === 4) return tf.transpose(tensor, name === "inputs" ? [0, 2, 3, 1] : [2, 3, 1, 0]);
  const embedding = name === "tokens.weight" || name === "positions.weight";
  return tensor.rank === 2 && name !== "inputs" && !embedding ? tf.transpose(tensor) : tensor;
}

const MODELS = {
  "mlp-2048": mlp,
  "mlp-256": mlp,
  resnet20: residualNetwork,
  resnet18: residualNetwork,
  transformer,
};

const linear = (weight, x, name) => tf.add(tf.matMul(x, weight(`${name}.weight`)), weight(`${name}.bias`));

/** A linear layer over the last axis of [batch, length, features]. */
function linearPerToken(weight, x, name) {
  const [batch, length, features] = x.shape;
  return tf.reshape(linear(weight, tf.reshape(x, [batch * length, features]), name), [batch, length, -1]);
}

function mlp(weight) {
  const layers = countNames(weight, (i) => `layers.${i}.weight`);
  return (x) => {
    let y = x;
    for (let i = 0; i < layers - 1; i++) y = tf.relu(linear(weight, y, `layers.${i}`));
    return linear(weight, y, `layers.${layers - 1}`);
  };
}

function countNames(weight, nameOf) {
  let count = 0;
  while (weight(nameOf(count))) count++;
  return count;
}

function residualNetwork(weight) {
  const norms = new Map();
  const convolution = (x, name, stride) => {
    const kernel = weight(`${name}.weight`);
    const padding = (kernel.shape[0] - 1) / 2;
    // Explicit padding: "same" would pad a strided convolution on one side only, unlike PyTorch.
    return tf.conv2d(x, kernel, stride, [[0, 0], [padding, padding], [padding, padding], [0, 0]]);
  };
  const norm = (x, name) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    if (!norms.has(name)) {
      const make = (value) => tf.variable(tf.fill(mean.shape, value), false);
      norms.set(name, tf.tidy(() => ({ mean: make(0), variance: make(1) })));
    }
    const running = norms.get(name);
    const count = x.size / mean.size;
    // As PyTorch: momentum 0.1, unbiased variance.
    running.mean.assign(tf.add(tf.mul(running.mean, 0.9), tf.mul(mean, 0.1)));
    running.variance.assign(tf.add(tf.mul(running.variance, 0.9), tf.mul(variance, (0.1 * count) / (count - 1))));
    return tf.batchNorm(x, mean, variance, weight(`${name}.bias`), weight(`${name}.weight`), 1e-5);
  };
  const stages = countNames(weight, (i) => `stages.${i}.0.conv1.weight`);
  return (x) => {
    let y = tf.relu(norm(convolution(x, "stem.conv", 1), "stem.norm"));
    for (let stage = 0; stage < stages; stage++) {
      const blocks = countNames(weight, (i) => `stages.${stage}.${i}.conv1.weight`);
      for (let block = 0; block < blocks; block++) {
        const name = `stages.${stage}.${block}`;
        const stride = stage > 0 && block === 0 ? 2 : 1;
        const first = tf.relu(norm(convolution(y, `${name}.conv1`, stride), `${name}.norm1`));
        const second = norm(convolution(first, `${name}.conv2`, 1), `${name}.norm2`);
        const shortcut =
          stride === 1 ? y : norm(convolution(y, `${name}.shortcut.conv`, stride), `${name}.shortcut.norm`);
        y = tf.relu(tf.add(second, shortcut));
      }
    }
    return linear(weight, tf.mean(y, [1, 2]), "head");
  };
}

function transformer(weight) {
  const heads = 4;
  const norm = (x, name) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(normalized, weight(`${name}.weight`)), weight(`${name}.bias`));
  };
  const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const attention = (x, name) => {
    const [batch, length, width] = x.shape;
    const qkv = tf.reshape(linearPerToken(weight, x, `${name}.attention.inputProjection`), [batch, length, 3, heads, width / heads]);
    const [q, k, v] = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]));
    const scores = tf.mul(tf.matMul(q, k, false, true), Math.sqrt(heads / width));
    const attended = tf.matMul(tf.softmax(scores), v);
    const merged = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, length, width]);
    return linearPerToken(weight, merged, `${name}.attention.outputProjection`);
  };
  const embed = (ids) => {
    const table = weight("tokens.weight");
    if (backend === "cpu") return tf.gather(table, ids);
    // The wasm backend has no kernel for the gradient of gather (UnsortedSegmentSum).
    const [vocabulary, width] = table.shape;
    const oneHot = tf.cast(tf.oneHot(tf.reshape(ids, [-1]), vocabulary), "float32");
    return tf.reshape(tf.matMul(oneHot, table), [...ids.shape, width]);
  };
  const layers = countNames(weight, (i) => `blocks.${i}.linear1.weight`);
  return (ids) => {
    let x = tf.add(embed(ids), weight("positions.weight"));
    for (let i = 0; i < layers; i++) {
      const name = `blocks.${i}`;
      x = tf.add(x, attention(norm(x, `${name}.norm1`), name));
      const hidden = gelu(linearPerToken(weight, norm(x, `${name}.norm2`), `${name}.linear1`));
      x = tf.add(x, linearPerToken(weight, hidden, `${name}.linear2`));
    }
    return linear(weight, tf.mean(norm(x, "norm"), 1), "head");
  };
}

await serve(build, async ({ variant }) => {
  tf = await import("@tensorflow/tfjs");
  backend = variant;
  if (variant === "wasm") await import("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend(variant))) throw new Error(`tfjs refused the backend ${variant}`);
  await tf.ready();
});
