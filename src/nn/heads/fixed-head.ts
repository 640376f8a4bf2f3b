/** A classifier whose directions are not learned. */
import type { Initializer, Layer, Scope } from "../../build/index.ts";
import { OptionError } from "../../errors.ts";
import type { Value } from "../../program/index.ts";
import { type Tensor, tensorOf } from "../../tensor/index.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel } from "../check-input.ts";
import { constant } from "../initializers.ts";
import { project } from "../linear.ts";
import type { ClassCode, Prototypes } from "./class-code.ts";
import { hadamardCode } from "./hadamard-code.ts";
import { fastProduct, fastProductCost, generatedRows } from "./hadamard-product.ts";
import { normalizeFeatures } from "./normalize-features.ts";

/** How Q is part of the program: its numbers, small factors that it is made of when the program is loaded, or a fast transform. */
export type FixedHeadForm = "dense" | "generated" | "fast";

/** How a fixed head is made. */
export interface FixedHeadOptions {
  /** The directions Q. Default: `hadamardCode()`. */
  readonly code?: ClassCode;
  /** alpha: one learned number, a constant above 0, or 1 ("none"). Default "learned". */
  readonly scale?: "learned" | "none" | number;
  /** What a learned scale starts with, above 0. Default: the code's, 10 or, for Hadamard rows, 1 / sqrt(classes). */
  readonly initialScale?: number;
  /** Whether a bias is added, or what it starts with. Default: the code's start, 0 or, for Hadamard rows, +-1 / sqrt(classes). */
  readonly bias?: boolean | Initializer | Tensor;
  /** Whether features are divided by their length. Default true. */
  readonly normalize?: boolean;
  /** Added to that length. Default 1e-8. */
  readonly epsilon?: number;
  /** Whether the product has the other sign, as in the published code's Hadamard head. Default false. */
  readonly minus?: boolean;
  /** Default: for Hadamard rows "fast" where that counts a tenth of the operations, else "generated"; "dense" for other codes. */
  readonly form?: FixedHeadForm;
}

/** The child that has scale and bias: recipes know by it what not to decay. */
export const LOGITS = "logits";

/** A learned scale counts as no less: below, the sign of all scores would change. */
const LEAST_SCALE = 1e-3;

/**
 * Makes heads whose matrix is fixed: y = alpha Q x / (||x|| + epsilon) + bias, with one learned number alpha and a bias. The features before it
 * do all the work.
 *
 * Q is a constant of the program: no gradient, no decay, no optimizer's slots, nothing in checkpoints; exported Hadamard heads do not even
 * have it in the file. alpha is max(scale, 0.001), with the gradient of the scale passed on below that, so that it can come back.
 * Leave scale and bias out of weight decay (recipes do that by themselves).
 *
 * Shapes: x [...batch, features] -> y [...batch, classes]; `logits.scale` [], `logits.bias` [classes].
 *
 * @returns A function from the number of classes to the layer: the option `head` of models.
 * @throws OptionError if a number is out of range, or when built, if the code has not enough directions, or a form is not one for it.
 * @throws ShapeError when built, if x has fewer than two axes or the length of the last one is not known.
 * @see Hoffer, Hubara, Soudry 2018, "Fix your classifier: the marginal value of training the last weight layer", arXiv:1801.04540
 * @example
 * const classifier = nn.sequential([nn.linear(64), nn.relu(), nn.fixedHead()(10)]);
 */
export function fixedHead(options: FixedHeadOptions = {}): (classes: number) => Layer {
  const { code = hadamardCode(), scale = "learned", initialScale, epsilon = 1e-8 } = options;
  for (const [option, number] of Object.entries({ scale, initialScale, epsilon })) {
    if (typeof number === "number" && !(number > 0 && number < Number.POSITIVE_INFINITY)) {
      throw new OptionError(`fixedHead: ${option} must be above 0, got ${number}.`);
    }
  }
  return (classes) => {
    assertCount(classes, "classes", "fixedHead");
    const known = new Map<number, Prototypes>();
    return (x, scope) => {
      const label = layerLabel("fixedHead", scope);
      assertLeastRank(x, 2, "[...batch, features]", label);
      const features = knownLength(x, -1, "features", label);
      // Training, evaluation and export build the same layer: directions are made once.
      const prototypes = known.get(features) ?? remembered(code.prototypes(classes, features));
      known.set(features, prototypes);
      const xhat = options.normalize === false ? x : normalizeFeatures(scope.ops, x, epsilon);
      const own = scope.child(LOGITS);
      const scaled = multiply(scope, xhat, scaleOf(own, options, code.initialScale(classes)), options.minus === true);
      const bias = biasOf(own, options, code, classes);
      return product(scope, scaled, bias, { prototypes, classes, features, form: options.form, label });
    };
  };
}

/** alpha. */
function scaleOf(scope: Scope, { scale = "learned", initialScale }: FixedHeadOptions, start: number): Value | number {
  if (typeof scale === "number") return scale;
  if (scale === "none") return 1;
  const learned = scope.parameter("scale", [], constant(initialScale ?? start));
  return scope.ops.straightThrough(learned, scope.ops.max(learned, LEAST_SCALE));
}

function multiply({ ops }: Scope, x: Value, scale: Value | number, minus: boolean): Value {
  if (typeof scale === "number") return scale === 1 && !minus ? x : ops.mul(x, minus ? -scale : scale);
  return ops.mul(x, minus ? ops.neg(scale) : scale);
}

function biasOf(scope: Scope, { bias = true }: FixedHeadOptions, code: ClassCode, classes: number): Value | undefined {
  if (bias === false) return undefined;
  return scope.parameter("bias", [classes], bias === true ? code.initialBias(classes) : bias);
}

interface ProductSettings {
  readonly prototypes: Prototypes;
  readonly classes: number;
  readonly features: number;
  readonly form: FixedHeadForm | undefined;
  readonly label: string;
}

/** x Q^T + bias. */
function product({ ops }: Scope, x: Value, bias: Value | undefined, settings: ProductSettings): Value {
  const { prototypes, classes, features, label } = settings;
  const { hadamard } = prototypes;
  const form = settings.form ?? chosenForm(prototypes, classes, features);
  if ((form !== "dense" && !hadamard) || (form === "fast" && hadamard?.columns)) {
    const possible = hadamard ? '"dense" or "generated" for random columns' : '"dense" for a code without a rule';
    throw new OptionError(`${label}: form must be ${possible}, got "${form}". Leave it out.`);
  }
  const dtype = x.dtype!;
  if (form === "dense")
    return project(ops, x, ops.constant(tensorOf(dtype, [classes, features], prototypes.matrix())), bias);
  if (form === "generated") return project(ops, x, generatedRows(ops, hadamard!, { classes, features, dtype }), bias);
  const batch = x.shape!.slice(0, -1);
  const rows = batch.length === 1 ? x : ops.reshape(x, [-1, features]);
  const scores = fastProduct(ops, rows, hadamard!, { classes, features });
  const y = bias ? ops.add(scores, bias) : scores;
  if (batch.length === 1) return y;
  return ops.reshape(y, [...batch.map((length) => (typeof length === "number" ? length : -1)), classes]);
}

/**
 * By how much the fast transform must save operations, in use and in training: its small products run slower than a large one.
 *
 * Measured by bench/fixed-head.ts (batches of 64, one thread, ONNX Runtime 1.30; time of a forward pass and of a step over that of the
 * generated matrix): 4.2 times fewer operations (128 x 100) 1.09 and 1.09; 6.3 (256 x 200) 0.87 and 0.83; 7.7 (256 x 100) 1.13 and 1.01;
 * 8.9 (1024 x 10) 1.05 and 1.02; 9.4 (2048 x 10) 1.08 and 1.14; 10.4 (512 x 500) 0.56 and 0.47; 14.3 (512 x 100) 0.82 and 0.85;
 * 20.8 (512 x 1000) 0.32 and 0.35. From ten times on it is never slower.
 */
const WORTH_IT = 10;

/**
 * Returns the form that a head of this code takes when nobody says.
 *
 * @throws OptionError if the code has not enough directions.
 * @example
 * nn.fixedHeadForm(nn.hadamardCode(), 1000, 2048); // "fast"
 */
export function fixedHeadForm(code: ClassCode, classes: number, features: number): FixedHeadForm {
  return chosenForm(code.prototypes(classes, features), classes, features);
}

function chosenForm({ hadamard }: Prototypes, classes: number, features: number): FixedHeadForm {
  if (!hadamard) return "dense";
  if (hadamard.columns) return "generated";
  return classes * features >= WORTH_IT * fastProductCost(hadamard, features) ? "fast" : "generated";
}

/** Prototypes whose matrix is made once. */
function remembered(prototypes: Prototypes): Prototypes {
  let matrix: Float64Array | undefined;
  return {
    ...prototypes,
    matrix: () => {
      matrix ??= prototypes.matrix();
      return matrix;
    },
  };
}
