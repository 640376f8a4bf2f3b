/** What runs in a Node of its own: gradients on WebGPU against the processor. */
import { nodeRuntime } from "../../src/runtime/node.ts";
import { gradientCases } from "./cases.ts";
import { checkAgreement, oneCasePerOperator, referenceOf } from "./check-agreement.ts";

/** How many cases ran, and what differs. */
export interface AgreementResults {
  readonly cases: number;
  readonly problems: readonly string[];
}

/** Cases that ONNX Runtime computes wrongly on WebGPU unless they are written in another form. */
const KNOWN_FAULTS = [
  "Conv of each channel by itself",
  "Slice whose gradient is sliced again",
  "LogSoftmax of large numbers",
];

/** Compares the gradients of one case per operator, and of those that went wrong once. */
export async function run(): Promise<AgreementResults> {
  const cpu = await nodeRuntime({ threads: 1 });
  const webgpu = await nodeRuntime({ device: "webgpu" });
  const all = Object.values(gradientCases).flat();
  const cases = new Set([
    ...oneCasePerOperator("webgpu"),
    ...KNOWN_FAULTS.map((title) => all.find((subject) => subject.title === title)!),
  ]);
  const problems: string[] = [];
  for (const subject of cases) {
    try {
      problems.push(...(await checkAgreement(subject, await referenceOf(subject, cpu), webgpu)));
    } catch (error) {
      problems.push(`${subject.title}: ${(error as Error).message}`);
    }
  }
  return { cases: cases.size, problems };
}
