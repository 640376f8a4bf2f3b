/** The one check that every operator's cases go through. */
import { writeModel } from "../../src/onnx/index.ts";
import { countMacs, inferShapes } from "../../src/ops/index.ts";
import { cloneProgram, type Dimension, type Program } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { describeValue, differsFrom } from "../support/shape-truth.ts";
import type { OperatorCase } from "./operator-case.ts";

/** How much of the inputs' shapes is told. */
const KNOWLEDGE: Readonly<Record<string, (length: number) => Dimension>> = {
  symbols: (length) => (length > 1 ? `n${length}` : length),
  ranks: () => null,
};

type Produced = Parameters<typeof differsFrom>[1];

/**
 * Returns what is wrong with the rules of a case's operators; nothing when all is well.
 *
 * The outputs ONNX Runtime produces (or the case tells) must be what is inferred from whole shapes, exactly unless the case
 * is partial; and must not be contradicted by what is inferred from symbols, from ranks, and from nothing.
 */
export async function checkOperator(subject: OperatorCase, runtime: Runtime): Promise<string[]> {
  const truth = subject.expected?.map(parseExpected) ?? (await produce(subject, runtime));
  const problems: string[] = [];
  const whole = inferred(subject.program);
  truth.forEach((produced, index) => {
    const value = whole.graph.outputs[index]!;
    const wrong = differsFrom(value, produced, new Map());
    const exact = describeValue(value) === describeValue(produced);
    if (wrong || (!exact && !subject.partial))
      problems.push(`output ${index}: inferred ${describeValue(value)}, produced ${describeValue(produced)}`);
  });
  for (const [name, forget] of Object.entries({ ...KNOWLEDGE, nothing: undefined })) {
    const vague = inferred(subject.program, forget ?? null);
    truth.forEach((produced, index) => {
      const value = vague.graph.outputs[index]!;
      const symbols = new Map(Array.from({ length: 64 }, (_, length) => [`n${length}`, length]));
      if (differsFrom(value, produced, symbols))
        problems.push(
          `output ${index} from ${name}: inferred ${describeValue(value)}, produced ${describeValue(produced)}`,
        );
    });
  }
  if (subject.macs !== undefined) {
    const { total, complete } = countMacs(subject.program);
    if (total !== subject.macs || !complete)
      problems.push(`counted ${total} multiply-accumulates, not ${subject.macs}`);
  }
  return problems;
}

/** Infers a copy whose inputs' lengths went through `forget`; null forgets the ranks too. */
function inferred(program: Program, forget?: ((length: number) => Dimension) | null): Program {
  const copy = cloneProgram(program).program;
  for (const value of copy.graph.inputs) {
    if (forget === null) value.shape = undefined;
    else if (forget) value.shape = value.shape?.map((length) => forget(length as number));
  }
  inferShapes(copy);
  return copy;
}

async function produce(subject: OperatorCase, runtime: Runtime): Promise<Produced[]> {
  const session = await runtime.createSession(writeModel(cloneProgram(subject.program).program));
  try {
    const outputs = await session.run(subject.feeds);
    return subject.program.graph.outputs.map((output) => outputs[output.name]!);
  } finally {
    await session.release();
  }
}

function parseExpected(text: string): Produced {
  const [dtype, shape] = text.split(" [") as [string, string];
  const lengths = shape === "]" ? [] : shape.slice(0, -1).split(", ").map(Number);
  return { dtype, shape: lengths } as unknown as Produced;
}
