/** What Modicum knows about ONNX operators: element types, shapes, multiply-accumulates. */
export { type Cost, type Costs, countCosts } from "./count-costs.ts";
export { type CountMacsOptions, countMacs, type MacCounts } from "./count-macs.ts";
export { countMacsByBits } from "./count-macs-by-bits.ts";
export { constantFact } from "./elements.ts";
export { inferNodeFacts, type NodeFacts, type NodeSurroundings } from "./infer-node.ts";
export { type InferShapesOptions, inferShapes, type ShapeInference } from "./infer-shapes.ts";
export type { Fact, GraphMacs, InferenceContext, Operator } from "./operator.ts";
export { findOperator, operatorFamilies, operators } from "./operators.ts";
