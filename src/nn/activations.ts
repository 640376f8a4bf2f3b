/** Activations as layers: functions of each element by itself. Definitions and defaults are PyTorch's. */
import type { GradientRule, Layer } from "../build/index.ts";

/**
 * max(x, 0).
 *
 * @example
 * nn.sequential([nn.linear(256), nn.relu(), nn.linear(10)]);
 */
export function relu(): Layer {
  return (x, { ops }) => ops.relu(x);
}

/**
 * min(max(x, 0), 6).
 *
 * @see Howard et al. 2017, "MobileNets", arXiv:1704.04861
 * @example
 * nn.sequential([nn.conv({ channels: 32, kernel: 3 }), nn.relu6()]);
 */
export function relu6(): Layer {
  return (x, { ops }) => ops.clip(x, 0, 6);
}

/**
 * x where it is positive, else negativeSlope x.
 *
 * @param options.negativeSlope Default 0.01.
 * @example
 * nn.leakyRelu({ negativeSlope: 0.2 });
 */
export function leakyRelu({ negativeSlope = 0.01 }: { readonly negativeSlope?: number } = {}): Layer {
  return (x, { ops }) => ops.emit("LeakyRelu", [x], { alpha: { float: negativeSlope } });
}

/**
 * x where it is positive, else alpha (e^x - 1).
 *
 * @param options.alpha Default 1.
 * @see Clevert, Unterthiner, Hochreiter 2015, "ELU", arXiv:1511.07289
 * @example
 * nn.elu();
 */
export function elu({ alpha = 1 }: { readonly alpha?: number } = {}): Layer {
  return (x, { ops }) => ops.emit("Elu", [x], { alpha: { float: alpha } });
}

/**
 * max(x, 0) + min(alpha (e^(x / alpha) - 1), 0): elu without a kink, whatever alpha is.
 *
 * @param options.alpha Default 1.
 * @see Barron 2017, "Continuously Differentiable Exponential Linear Units", arXiv:1704.07483
 * @example
 * nn.celu({ alpha: 0.5 });
 */
export function celu({ alpha = 1 }: { readonly alpha?: number } = {}): Layer {
  return (x, { ops }) => ops.emit("Celu", [x], { alpha: { float: alpha } });
}

/**
 * 1.0507 times elu with alpha 1.6733: activations keep mean 0 and variance 1.
 *
 * @see Klambauer, Unterthiner, Mayr, Hochreiter 2017, "Self-Normalizing Neural Networks", arXiv:1706.02515
 * @example
 * nn.selu();
 */
export function selu(): Layer {
  return (x, { ops }) => ops.emit("Selu", [x]);
}

/**
 * x P(X <= x) for a standard normal X, exactly or by tanh.
 *
 * @param options.approximate "none" (the default) computes x (1 + erf(x / sqrt 2)) / 2; "tanh" the formula with
 * tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
 * @see Hendrycks, Gimpel 2016, "Gaussian Error Linear Units", arXiv:1606.08415
 * @example
 * nn.gelu({ approximate: "tanh" });
 */
export function gelu({ approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {}): Layer {
  return (x, { ops }) => ops.emit("Gelu", [x], { approximate });
}

/**
 * x sigmoid(x), also called swish.
 *
 * @see Elfwing, Uchibe, Doya 2017, arXiv:1702.03118; Ramachandran, Zoph, Le 2017, arXiv:1710.05941
 * @example
 * nn.silu();
 */
export function silu(): Layer {
  return (x, { ops }) => {
    const sigmoid = ops.sigmoid(x);
    const y = ops.mul(x, sigmoid);
    // y' = y + sigmoid(x) (1 - y): half the passes that the product rule takes.
    const slope: GradientRule = ({ ops, dy }) => [ops.mul(dy, ops.add(y, ops.mul(sigmoid, ops.sub(1, y))))];
    return ops.customGradient([x], [y], slope)[0]!;
  };
}

/**
 * x tanh(softplus(x)).
 *
 * @see Misra 2019, "Mish", arXiv:1908.08681
 * @example
 * nn.mish();
 */
export function mish(): Layer {
  return (x, { ops }) => ops.emit("Mish", [x]);
}

/**
 * The hyperbolic tangent.
 *
 * @example
 * nn.tanh();
 */
export function tanh(): Layer {
  return (x, { ops }) => ops.tanh(x);
}

/**
 * 1 / (1 + e^-x).
 *
 * @example
 * nn.sigmoid();
 */
export function sigmoid(): Layer {
  return (x, { ops }) => ops.sigmoid(x);
}

/**
 * log(1 + e^x). PyTorch's beta and threshold are not there: ONNX has none, and the formula is stable without.
 *
 * @example
 * nn.softplus();
 */
export function softplus(): Layer {
  return (x, { ops }) => ops.softplus(x);
}

/**
 * x / (1 + |x|).
 *
 * @example
 * nn.softsign();
 */
export function softsign(): Layer {
  return (x, { ops }) => ops.emit("Softsign", [x]);
}

/**
 * min(max(x + 3, 0), 6) / 6.
 *
 * @see Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244
 * @example
 * nn.hardSigmoid();
 */
export function hardSigmoid(): Layer {
  // ONNX's own default is another function: max(0, min(1, 0.2 x + 0.5)).
  return (x, { ops }) => ops.emit("HardSigmoid", [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
}

/**
 * x min(max(x + 3, 0), 6) / 6.
 *
 * @see Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244
 * @example
 * nn.hardSwish();
 */
export function hardSwish(): Layer {
  return (x, { ops }) => ops.emit("HardSwish", [x]);
}

/**
 * min(max(x, low), high).
 *
 * @param options.low Default -1.
 * @param options.high Default 1.
 * @example
 * nn.hardTanh();
 */
export function hardTanh({ low = -1, high = 1 }: { readonly low?: number; readonly high?: number } = {}): Layer {
  return (x, { ops }) => ops.clip(x, low, high);
}

/**
 * e^x / sum of e^x along an axis: probabilities from scores. `crossEntropy` takes the scores themselves.
 *
 * @param options.axis Default -1.
 * @example
 * nn.softmax({ axis: 1 });
 */
export function softmax({ axis = -1 }: { readonly axis?: number } = {}): Layer {
  return (x, { ops }) => ops.softmax(x, axis);
}

/**
 * x - log(sum of e^x) along an axis: logarithms of the softmax's probabilities.
 *
 * @param options.axis Default -1.
 * @example
 * nn.logSoftmax({ axis: 1 });
 */
export function logSoftmax({ axis = -1 }: { readonly axis?: number } = {}): Layer {
  return (x, { ops }) => ops.logSoftmax(x, axis);
}

/**
 * (relu(x) - sqrt(1 / (2 pi))) / sqrt((1 - 1 / pi) / 2): what normal numbers become has mean 0 and variance 1, so that networks
 * with bounded weights keep their scale without normalizing activations.
 *
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814; its reference code
 * @example
 * nn.translatedRelu();
 */
export function translatedRelu(): Layer {
  const mean = Math.sqrt(1 / (2 * Math.PI));
  const deviation = Math.sqrt(0.5 * (1 - 1 / Math.PI));
  return (x, { ops }) => ops.mul(ops.sub(ops.relu(x), mean), 1 / deviation);
}
