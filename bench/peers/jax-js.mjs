/**
 * The jax-js side of the benchmark: see ../training/serve.ts for the conversation, ../README.md for the cases.
 *
 * The whole step is one jitted function on the wasm device, which in Node has no threads. Arrays are owned: passing one on
 * gives it away, `.ref` keeps it.
 */
import { readFileSync } from "node:fs";
import { serve } from "../training/serve.ts";

/** @type {typeof import("@jax-js/jax")} */
let jax;
let np;

async function build(loaded) {
  const array = (values, shape) => np.array(values).reshape(shape);
  let weights = Object.fromEntries(
    loaded.parameters.map(({ name, shape, values }) => [name, array(values, [...shape])]),
  );
  let velocities = jax.tree.map((w) => np.zerosLike(w), jax.tree.ref(weights));
  let running = {};
  for (const { name, shape } of loaded.parameters) {
    const isNorm = loaded.case.name.startsWith("resnet") && name.includes("norm") && name.endsWith(".bias");
    if (isNorm) running[name] = { mean: np.zeros([...shape]), variance: np.ones([...shape]) };
  }
  const { input, batch, classes } = loaded.case;
  const batches = loaded.batches.map(({ inputs, labels }) => ({
    inputs: array(inputs, [batch, ...(input.kind === "tokens" ? [input.length] : input.shape)]),
    labels: jax.nn.oneHot(np.array(labels), classes),
  }));
  const model = MODELS[loaded.case.name];
  const { learningRate, momentum } = loaded.optimizer;

  const lossOf = (parameters, averages, inputs, labels) => {
    const [logits, nextAverages] = model(parameters, averages, inputs);
    const loss = jax.nn.logSoftmax(logits).mul(labels).sum().mul(-1 / batch);
    return [loss, nextAverages];
  };
  const step = jax.jit((parameters, speeds, averages, inputs, labels) => {
    const [[loss, nextAverages], gradients] = jax.valueAndGrad(lossOf, { hasAux: true })(
      jax.tree.ref(parameters),
      averages,
      inputs,
      labels,
    );
    const nextSpeeds = jax.tree.map((v, g) => v.mul(momentum).add(g), speeds, gradients);
    const next = jax.tree.map((w, v) => w.sub(v.mul(learningRate)), parameters, jax.tree.ref(nextSpeeds));
    return [loss, next, nextSpeeds, nextAverages];
  });

  const { version } = JSON.parse(
    readFileSync(new URL("./node_modules/@jax-js/jax/package.json", import.meta.url), "utf8"),
  );
  return {
    version,
    settings: `wasm device, jit, Node ${process.versions.node}`,
    threads: 1,
    async step(_batch, index) {
      const { inputs, labels } = batches[index];
      const [loss, ...next] = step(weights, velocities, running, inputs.ref, labels.ref);
      [weights, velocities, running] = next;
      await jax.blockUntilReady(next);
      return (await loss.data())[0];
    },
  };
}

const MODELS = {
  "mlp-2048": mlp,
  "mlp-256": mlp,
  resnet20: residualNetwork,
  resnet18: residualNetwork,
  transformer,
};

/** x [..., in] times weight [out, in], as PyTorch stores it. */
const linear = (p, x, name) => np.matmul(x, p[`${name}.weight`].transpose()).add(p[`${name}.bias`]);

function countNames(p, nameOf) {
  let count = 0;
  while (p[nameOf(count)]) count++;
  return count;
}

function mlp(p, averages, x) {
  const layers = countNames(p, (i) => `layers.${i}.weight`);
  let y = x;
  for (let i = 0; i < layers - 1; i++) y = jax.nn.relu(linear(p, y, `layers.${i}`));
  return [linear(p, y, `layers.${layers - 1}`), averages];
}

function residualNetwork(p, averages, x) {
  const nextAverages = {};
  const convolution = (input, name, stride) => {
    const kernel = p[`${name}.weight`];
    const padding = (kernel.shape[2] - 1) / 2;
    return jax.lax.convGeneralDilated(input, kernel, [stride, stride], [[padding, padding], [padding, padding]]);
  };
  const norm = (input, name) => {
    const [batch, channels, height, width] = input.shape;
    const count = batch * height * width;
    const perChannel = (values) => values.reshape([1, channels, 1, 1]);
    const mean = np.mean(input.ref, [0, 2, 3]);
    const centered = input.sub(perChannel(mean.ref));
    const variance = np.mean(np.square(centered.ref), [0, 2, 3]);
    const old = averages[`${name}.bias`];
    // As PyTorch: momentum 0.1, unbiased variance.
    nextAverages[`${name}.bias`] = {
      mean: old.mean.mul(0.9).add(jax.lax.stopGradient(mean).mul(0.1)),
      variance: old.variance.mul(0.9).add(jax.lax.stopGradient(variance.ref).mul((0.1 * count) / (count - 1))),
    };
    const scale = p[`${name}.weight`].div(np.sqrt(variance.add(1e-5)));
    return centered.mul(perChannel(scale)).add(perChannel(p[`${name}.bias`]));
  };
  let y = jax.nn.relu(norm(convolution(x, "stem.conv", 1), "stem.norm"));
  const stages = countNames(p, (i) => `stages.${i}.0.conv1.weight`);
  for (let stage = 0; stage < stages; stage++) {
    const blocks = countNames(p, (i) => `stages.${stage}.${i}.conv1.weight`);
    for (let block = 0; block < blocks; block++) {
      const name = `stages.${stage}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = jax.nn.relu(norm(convolution(y.ref, `${name}.conv1`, stride), `${name}.norm1`));
      const second = norm(convolution(first, `${name}.conv2`, 1), `${name}.norm2`);
      const shortcut =
        stride === 1 ? y : norm(convolution(y, `${name}.shortcut.conv`, stride), `${name}.shortcut.norm`);
      y = jax.nn.relu(second.add(shortcut));
    }
  }
  return [linear(p, np.mean(y, [2, 3]), "head"), nextAverages];
}

function transformer(p, averages, ids) {
  const heads = 4;
  const norm = (x, name) => {
    const centered = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centered.ref), -1, { keepdims: true });
    return centered.div(np.sqrt(variance.add(1e-5))).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  };
  const attention = (x, name) => {
    const [batch, length, width] = x.shape;
    const qkv = linear(p, x, `${name}.attention.inputProjection`).reshape([batch, length, 3, heads, width / heads]);
    // [3, batch, heads, length, features]; jax.nn.dotProductAttention needs iterator helpers, which Node 20 lacks.
    const [q, k, v] = np.unstack(qkv.transpose([2, 0, 3, 1, 4]), 0);
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(Math.sqrt(heads / width));
    const attended = np.matmul(jax.nn.softmax(scores, -1), v).transpose([0, 2, 1, 3]);
    return linear(p, attended.reshape([batch, length, width]), `${name}.attention.outputProjection`);
  };
  const layers = countNames(p, (i) => `blocks.${i}.linear1.weight`);
  let x = np.take(p["tokens.weight"], ids, 0).add(p["positions.weight"]);
  for (let i = 0; i < layers; i++) {
    const name = `blocks.${i}`;
    x = x.ref.add(attention(norm(x, `${name}.norm1`), name));
    const hidden = jax.nn.gelu(linear(p, norm(x.ref, `${name}.norm2`), `${name}.linear1`), { approximate: false });
    x = x.add(linear(p, hidden, `${name}.linear2`));
  }
  return [linear(p, np.mean(norm(x, "norm"), 1), "head"), averages];
}

await serve(build, async () => {
  jax = await import("@jax-js/jax");
  np = jax.numpy;
  await jax.init("wasm");
  jax.defaultDevice("wasm");
});
