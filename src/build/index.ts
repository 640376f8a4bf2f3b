/** Building programs: the vocabulary of operators, scopes of layers, and the contracts of what is built with them. */

export type { Decomposition } from "./decompositions/decomposition.ts";
export { mapAxis } from "./decompositions/map-axis.ts";
export { type PoolWindow, poolWindow } from "./decompositions/pools.ts";
export {
  type RecurrentProduct,
  type UnrolledDirection,
  type UnrolledLayer,
  unrollRecurrent,
} from "./decompositions/recurrent.ts";
export { decompositions } from "./decompositions.ts";
export { axisFromFront, fixedNumbers } from "./fixed-numbers.ts";
export type { GradientContext, GradientRule } from "./gradient-rule.ts";
export { GraphWriter } from "./graph-writer.ts";
export {
  type Attributes,
  type ConvOptions,
  type NodeSettings,
  type Operand,
  Ops,
  type ReduceOptions,
  type WindowOptions,
} from "./ops.ts";
export type { Optimizer, OptimizerContext, ParameterGradient, Schedule } from "./optimizer.ts";
export type {
  ObserveRounding,
  Precision,
  PrecisionContext,
  PrecisionReport,
  RoundedRole,
  RoundedTensor,
} from "./precision.ts";
export type { RandomValues } from "./random-values.ts";
export { type Layer, Scope, type ScopeSettings } from "./scope.ts";
export type {
  DerivedStart,
  Initializer,
  Variable,
  VariableDeclaration,
  VariableRole,
  VariableSource,
} from "./variable.ts";
