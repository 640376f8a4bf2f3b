/** The one graph of the project: programs of ONNX operators, read from files or built in code. */
export type { Attribute, AttributeInput, AttributeValue } from "./attribute.ts";
export { type ClonedProgram, cloneProgram } from "./clone.ts";
export { type Constant, constantOf, constantSize } from "./constant.ts";
export { constantValue, removeDeadNodes, sortNodes } from "./edit.ts";
export { type EmitOptions, Emitter } from "./emitter.ts";
export type { Extras } from "./extras.ts";
export { Graph, type Use } from "./graph.ts";
export { Node, type NodeOptions, toAttribute } from "./node.ts";
export { printProgram } from "./print.ts";
export { DEFAULT_IR_VERSION, DEFAULT_OPSET, type FunctionDefinition, Program } from "./program.ts";
export { type Dimension, type Shape, staticShape, Value } from "./value.ts";
