/** Numbers in host memory: element types, tensors, seeded random numbers. */
export {
  arrayOf,
  bitsOf,
  byteLength,
  type DType,
  dtypeCode,
  dtypeFromCode,
  isDType,
  isFloat,
  type TensorData,
} from "./dtype.ts";
export { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from "./half-float.ts";
export { type Random, seededRandom, shuffledIndices } from "./random.ts";
export { roundHalfEven } from "./round-half-even.ts";
export { elementCount, float32, int64, packIntegers, Tensor, tensorOf, toFloat32, toNumbers, zeros } from "./tensor.ts";
