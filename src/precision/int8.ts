/** Training with few bits: quantized weights, activations and gradients in every product of a network. */
import type {
  GradientContext,
  GradientRule,
  Ops,
  Precision,
  PrecisionContext,
  RoundedRole,
  RoundedTensor,
} from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { findGradientRule } from "../gradients/index.ts";
import type { Node, Value } from "../program/index.ts";
import { bifurcated, type GradientCopy, seeing } from "./bifurcation.ts";
import { isWide, roundResult } from "./convolution-results.ts";
import { type GridKind, limitsOf, roundToGrid, type ValueRange } from "./grid.ts";
import { delayedRange, keepAverage, readRange, runningRange } from "./kept-range.ts";
import { logarithmic } from "./logarithmic.ts";
import { findNormalizations, type Normalization } from "./normalizations.ts";
import { findProducts, type Product } from "./products.ts";
import { channelRange, sampleRange, tensorRange, watched } from "./ranges.ts";
import { RoundingNoise } from "./rounding-noise.ts";
import { assertOneOf, formatOf, type RangeMode, type TensorFormat } from "./tensor-format.ts";

/** How a network is trained with few bits. */
export interface Int8Options {
  /** Default: 8 bits, one grid for a tensor, nearest. */
  readonly weights?: Partial<TensorFormat>;
  /** Default: 8 bits, one grid for a tensor, nearest. In use the average range of training holds. */
  readonly activations?: Partial<TensorFormat>;
  /**
   * Gradients on their way to the layers below. Default: 8 bits, one grid for a tensor, stochastic. `logarithmic` rounds them to
   * powers of two without bias instead (LUQ, arXiv:2112.10769): for 4 bits and below.
   */
  readonly gradients?: Partial<TensorFormat> & { readonly logarithmic?: boolean };
  /**
   * Gradients in the products that give weights theirs (gradient bifurcation): their own bits, or `"same"` for the codes that go to the
   * layers below. Default "same" with 8 bits or more, where no difference was measured, and 16 below.
   */
  readonly weightGradients?: "same" | 8 | 16 | "float";
  /** `zero`: 0 is exact, as integer kernels need. `range`: from the least to the largest number, as published; simulated. Default "zero". */
  readonly grid?: "zero" | "range";
  /**
   * Batch norms: `inputs` rounds what they read and the gradients that come back to them to the bits of activations and gradients, as
   * published for the range (arXiv:1805.11046, section 3); `all` their scales and shifts too, to the bits of weights. Default "float".
   */
  readonly normalizations?: "float" | "inputs" | "all";
  /**
   * What convolutions of 64 channels and more give while training, forward and to the layers below: `rounded` to 8 bits on the range of the
   * step before, which lets them be computed in bytes from end to end; 8 bits of operands and `grid: "zero"` only. Default "rounded".
   */
  readonly results?: "rounded" | "float";
  /** Which layers are quantized, by path; first and last count as all others do. Default: all. */
  readonly layers?: (path: string) => boolean;
  /** Layers that stay in float whatever they are called. Default: none, as published. */
  readonly float?: readonly ("first" | "last")[];
}

const ACTIVATION_RANGES: readonly RangeMode[] = ["tensor", "sample", "running", "delayed"];
const GRADIENT_RANGES: readonly RangeMode[] = ["tensor", "sample", "delayed"];
const WEIGHT_RANGES: readonly RangeMode[] = ["tensor", "channel"];

interface Formats {
  readonly weights: TensorFormat;
  readonly activations: TensorFormat;
  readonly gradients: TensorFormat & { readonly logarithmic: boolean };
  readonly weightGradients: "same" | 8 | 16 | "float";
  readonly grid: "zero" | "range";
  readonly normalizations: "float" | "inputs" | "all";
  /** Whether results of wide convolutions are rounded: forward, and in the gradients of their inputs. */
  readonly results: { readonly forward: boolean; readonly backward: boolean };
}

/**
 * Makes a precision in which every product of a network (Conv, MatMul, Gemm) sees quantized operands, forward and backward:
 *
 *   y = x-hat W-hat,   g_(l-1) = Q(g_l) W-hat^T,   dW = x-hat^T g_l
 *
 * Weights that are learned stay in float: the codes exist inside the step only. Gradients pass the rounding of weights and
 * activations as if there were none (straight through). Where device and shape allow, 8-bit products are integer products;
 * else the same numbers are computed in float.
 *
 * Layers need not know: networks of `nn`, of `findModel` and imported ONNX models alike. Batch norms stay as they are unless
 * `normalizations` says otherwise; the published networks have `nn.batchNorm({ deviation: { range: 16 } })`. Operators that have no quantized form
 * (recurrent layers, transposed convolutions) stay in float: `TrainStep.precision` lists them.
 *
 * @throws OptionError if bits, ranges or roundings are not among those that are known.
 * @see Banner, Hubara, Hoffer, Soudry 2018, "Scalable methods for 8-bit training of neural networks", arXiv:1805.11046
 * @example
 * const step = trainStep({ inputs, loss, optimizer, precision: int8() });
 * const published = int8({ weightGradients: 16, activations: { range: "sample" }, grid: "range" });
 */
export function int8(options: Int8Options = {}): Precision {
  const formats = formatsOf(options);
  const { layers = () => true, float: ends = [] } = options;
  for (const end of ends) assertOneOf("float", end, ["first", "last"]);
  return {
    apply(context) {
      const { nodes } = context.ops.writer.graph;
      const network = nodes.splice(context.from);
      const { products, float } = findProducts(network, context.isParameter);
      const apart = ends.map((end) => products.at(end === "first" ? 0 : -1));
      const isChosen = (one: Product): boolean => layers(pathOf(one.node)) && !apart.includes(one);
      const chosen = new Map(products.filter(isChosen).map((one) => [one.node, one]));
      const writer = new QuantizedNetwork(formats, context);
      const norms = formats.normalizations === "float" ? undefined : findNormalizations(network, pathOf);
      for (const node of network) {
        const norm = norms?.get(node);
        if (norm && layers(pathOf(node))) writer.quantizeNormalization(norm, pathOf(node));
        const product = chosen.get(node);
        if (product) writer.quantize(product);
        nodes.push(node);
        if (product) writer.roundResult(product, network);
      }
      const left = products.filter(({ node }) => !chosen.has(node)).map(({ node }) => node);
      return { quantized: [...chosen.keys()], float: [...left, ...float] };
    },
  };
}

function formatsOf(options: Int8Options): Formats {
  const { grid = "zero", normalizations = "float", results = "rounded" } = options;
  const { logarithmic: isLogarithmic = false, ...given } = options.gradients ?? {};
  const nearest: TensorFormat = { bits: 8, range: "tensor", rounding: "nearest" };
  const gradients = formatOf("gradients", given, { ...nearest, rounding: "stochastic" }, GRADIENT_RANGES);
  const isFine = gradients.bits === "float" || gradients.bits >= 8;
  const { weightGradients = isFine ? "same" : 16 } = options;
  assertOneOf("grid", grid, ["zero", "range"]);
  assertOneOf("normalizations", normalizations, ["float", "inputs", "all"]);
  assertOneOf("results", results, ["rounded", "float"]);
  assertOneOf("weightGradients", weightGradients, ["same", 8, 16, "float"]);
  if (isLogarithmic && (gradients.bits === "float" || gradients.bits > 5)) {
    throw new OptionError(`int8: gradients.bits must be from 2 to 5 for logarithmic gradients, got ${gradients.bits}.`);
  }
  const weights = formatOf("weights", options.weights, nearest, WEIGHT_RANGES);
  const activations = formatOf("activations", options.activations, nearest, ACTIVATION_RANGES);
  const isRounded = results === "rounded" && grid === "zero" && weights.bits === 8 && weights.range === "tensor";
  return {
    weights,
    activations,
    gradients: { ...gradients, logarithmic: isLogarithmic },
    weightGradients,
    grid,
    normalizations,
    results: { forward: isRounded && activations.bits === 8, backward: isRounded && gradients.bits === 8 },
  };
}

/** How a tensor is rounded, and whose it is. */
interface RoundingChoice {
  readonly format: TensorFormat;
  readonly range: ValueRange;
  readonly kind: GridKind;
  readonly path: string;
  readonly role: RoundedRole;
}

/** Writes the quantizers of one network. */
class QuantizedNetwork {
  readonly #formats: Formats;
  readonly #context: PrecisionContext;
  /** A value that several layers take is quantized once. */
  readonly #quantized = new Map<Value, Value>();
  /** The unique paths of products. */
  readonly #names = new Map<Node, string>();
  readonly #paths = new Map<string, number>();
  readonly #roles = new Map<string, number>();
  /** A source for each role: their tensors are multiplied with each other. */
  readonly #noise = new Map<RoundedRole, RoundingNoise>();

  constructor(formats: Formats, context: PrecisionContext) {
    this.#formats = formats;
    this.#context = context;
  }

  /** Puts quantized operands in place of a product's, and copies of gradients in its backward products. */
  quantize({ node, roles, channelAxis }: Product): void {
    const path = this.#uniquePath(pathOf(node));
    const ops = this.#context.ops.at(pathOf(node));
    const rule = findGradientRule(node.operator, node.domain)!;
    roles.forEach((role, index) => {
      const x = node.inputs[index]!;
      if (role === "bias") return;
      const known = this.#quantized.get(x);
      const place = `${path}.input${index > 0 ? index : ""}Range`;
      const write = (): Value =>
        role === "weight" ? this.#weight(ops, x, { path, channelAxis }) : this.#activation(ops, x, { path, place });
      const made = known ?? write();
      this.#quantized.set(x, made);
      node.inputs[index] = made;
    });
    const copies = { data: this.#dataCopy(path), weight: this.#weightCopy(path) };
    const isRounded = this.#formats.results.backward && this.#context.training && movesByOne(node) && isWide(node);
    node.gradient = bifurcated(isRounded ? this.#roundedRule(rule, path) : rule, roles, copies);
    this.#names.set(node, path);
  }

  /** Puts the rounded result of a wide convolution in place of the exact one, where nodes of the network read it. */
  roundResult({ node }: Product, network: readonly Node[]): void {
    const { training, variables } = this.#context;
    if (!this.#formats.results.forward || !training || !isWide(node)) return;
    const y = node.output();
    const ops = this.#context.ops.at(pathOf(node));
    const layer = this.#names.get(node)!;
    const operands = [node.input(0), node.input(1)] as const;
    const { rounded, range } = roundResult(ops, { y, operands, variables, path: `${layer}.resultRange` });
    const tensor = { exact: y, rounded, bits: 8, rounding: "nearest", path: layer, role: "activation" } as const;
    this.#tell(ops, this.#context.onRounded ? { ...tensor, limits: limitsOf(ops, range, "symmetric") } : tensor);
    this.#quantized.set(y, rounded);
    for (const reader of network) {
      reader.inputs.forEach((input, index) => {
        if (input === y) reader.inputs[index] = rounded;
      });
    }
  }

  /** The rule of a convolution whose gradient for the layers below is rounded as its result is. */
  #roundedRule(rule: GradientRule, path: string): GradientRule {
    return (context) => {
      const found = [...rule(context)];
      const dx = found[0];
      if (!dx || !context.needs(0)) return found;
      const { ops, node, dy } = context;
      const place = `${path}.inputGradientRange`;
      const operands = [dy, node.input(1)] as const;
      const { rounded, range } = roundResult(ops, { y: dx, operands, variables: this.#context.variables, path: place });
      const tensor = { exact: dx, rounded, bits: 8, rounding: "nearest", path, role: "gradient" } as const;
      this.#tell(ops, this.#context.onRounded ? { ...tensor, limits: limitsOf(ops, range, "symmetric") } : tensor);
      return [rounded, ...found.slice(1)];
    };
  }

  /** Puts quantized numbers in place of those that a batch norm reads, and of the gradient that comes back to it. */
  quantizeNormalization({ x, parameters, readers, differentiated }: Normalization, layer: string): void {
    const path = this.#uniquePath(layer);
    const ops = this.#context.ops.at(layer);
    const place = `${path}.inputRange`;
    const made = new Map([[x, this.#quantized.get(x) ?? this.#activation(ops, x, { path, place })]]);
    this.#quantized.set(x, made.get(x)!);
    if (this.#formats.normalizations === "all") {
      for (const parameter of parameters) {
        const rounded = this.#quantized.get(parameter) ?? this.#weight(ops, parameter, { path, channelAxis: 0 });
        this.#quantized.set(parameter, rounded);
        made.set(parameter, rounded);
      }
    }
    for (const node of readers) {
      node.inputs.forEach((input, index) => {
        if (input) node.inputs[index] = made.get(input) ?? input;
      });
    }
    if (!differentiated) return;
    const rule = differentiated.gradient as GradientRule;
    const copy = this.#dataCopy(path);
    differentiated.gradient = ((context) => {
      const dy = context.gradient(0);
      if (!dy) return rule(context);
      const rounded = copy(context, dy);
      return rule(seeing(context, rounded, (index) => context.needs(index)));
    }) satisfies GradientRule;
  }

  #weight(ops: Ops, w: Value, { path, channelAxis }: { readonly path: string; readonly channelAxis: number }): Value {
    const { weights, grid } = this.#formats;
    if (weights.bits === "float") return w;
    const range = weights.range === "channel" ? channelRange(ops, w, channelAxis) : tensorRange(ops, w);
    const kind = grid === "range" ? "range" : "symmetric";
    return this.#rounded(ops, w, { format: weights, range, kind, path, role: "weight" });
  }

  #activation(ops: Ops, x: Value, { path, place }: { readonly path: string; readonly place: string }): Value {
    const { activations, grid } = this.#formats;
    if (activations.bits === "float") return x;
    const range = this.#activationRange(ops, x, place);
    return this.#rounded(ops, x, { format: activations, range, kind: grid, path, role: "activation" });
  }

  #activationRange(ops: Ops, x: Value, path: string): ValueRange {
    const { variables, training } = this.#context;
    const { range } = this.#formats.activations;
    if (!training) return readRange(ops, variables, path, x);
    const now = watched(ops, x, range === "sample" ? sampleRange(ops, x) : tensorRange(ops, x));
    if (range === "delayed") return delayedRange(ops, variables, path, now);
    if (range === "running") return runningRange(ops, variables, path, now);
    keepAverage(ops, variables, path, now);
    return now;
  }

  /** Q(g_l), made once where both paths see it. */
  #dataCopy(path: string): GradientCopy {
    const { gradients } = this.#formats;
    return (context, dy) => {
      const known = this.#quantized.get(dy);
      if (known) return known;
      const made = this.#gradient(context, dy, { format: gradients, path, role: "gradient" });
      this.#quantized.set(dy, made);
      return made;
    };
  }

  #weightCopy(path: string): GradientCopy {
    const { weightGradients, gradients } = this.#formats;
    if (weightGradients === "same") return this.#dataCopy(path);
    if (weightGradients === "float") return (_context, dy) => dy;
    const format = {
      ...gradients,
      bits: weightGradients,
      range: "tensor",
      rounding: "nearest",
      logarithmic: false,
    } as const;
    return (context, dy) => this.#gradient(context, dy, { format, path, role: "weightGradient" });
  }

  #gradient(
    { ops }: GradientContext,
    dy: Value,
    {
      format,
      path,
      role,
    }: { readonly format: Formats["gradients"]; readonly path: string; readonly role: RoundedRole },
  ): Value {
    if (format.bits === "float") return dy;
    if (format.logarithmic) {
      const rounded = logarithmic(ops, dy, { bits: format.bits, noise: this.#noiseOf(role) });
      this.#tell(ops, { exact: dy, rounded, bits: format.bits, rounding: "stochastic", path, role });
      return rounded;
    }
    const now = watched(ops, dy, format.range === "sample" ? sampleRange(ops, dy) : tensorRange(ops, dy));
    const { variables } = this.#context;
    const range = format.range === "delayed" ? delayedRange(ops, variables, `${path}.gradientRange`, now) : now;
    const kind = this.#formats.grid === "range" ? "range" : "symmetric";
    return this.#rounded(ops, dy, { format, range, kind, path, role });
  }

  #rounded(ops: Ops, x: Value, { format, range, kind, path, role }: RoundingChoice): Value {
    const { rounding } = format;
    const bits = format.bits as number;
    const isNoisy = rounding === "stochastic" && this.#context.training;
    const noise = isNoisy ? this.#noiseOf(role).of(ops, ops.shapeOf(x), x.dtype!) : undefined;
    const rounded = roundToGrid(ops, x, range, { kind, bits, noise });
    const limits = this.#context.onRounded && limitsOf(ops, range, kind);
    this.#tell(ops, { exact: x, rounded, bits, rounding, path, role, limits });
    return rounded;
  }

  #tell(ops: Ops, tensor: RoundedTensor): void {
    const { onRounded } = this.#context;
    if (!onRounded) return;
    const { path, role } = tensor;
    const count = (this.#roles.get(`${path}.${role}`) ?? 0) + 1;
    this.#roles.set(`${path}.${role}`, count);
    onRounded(ops, count === 1 ? tensor : { ...tensor, path: `${path}.${count}` });
  }

  #noiseOf(role: RoundedRole): RoundingNoise {
    const known = this.#noise.get(role);
    if (known) return known;
    const made = new RoundingNoise(this.#context.random!);
    this.#noise.set(role, made);
    return made;
  }

  /** Several products of one layer keep ranges of their own. */
  #uniquePath(path: string): string {
    const count = this.#paths.get(path) ?? 0;
    this.#paths.set(path, count + 1);
    return count === 0 ? path : `${path}.${count}`;
  }
}

/** Whether a window moves by one place: its input gradient is a convolution too. */
function movesByOne(node: Node): boolean {
  return (node.ints("strides") ?? []).every((stride) => stride === 1);
}

/** The layer a node was written for: its name without the operator. */
function pathOf({ name }: Node): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "network" : name.slice(0, slash);
}
