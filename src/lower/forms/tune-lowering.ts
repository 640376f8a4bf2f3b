/** Measuring which form of an operator is fastest, on the machine at hand. */
import { GraphWriter, Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program } from "../../program/index.ts";
import type { Runtime, Session } from "../../runtime/index.ts";
import { float32, seededRandom, type Tensor } from "../../tensor/index.ts";
import { lowerProgram } from "../lower-program.ts";
import { rewriteProgram } from "../rewrite.ts";
import { keyOf } from "../without-kernel.ts";
import { alternatives } from "./choose-form.ts";
import type { Alternatives, ConvolutionShape } from "./form.ts";
import type { FormTiming, LoweringTable } from "./lowering-table.ts";
import { TUNED_SHAPES } from "./tuned-shapes.ts";

/** What is measured and for how long. */
export interface TuneOptions {
  /** Default: convolutions of common networks. */
  readonly shapes?: readonly ConvolutionShape[];
  /** Time for each form of each shape. Default 0.15. */
  readonly seconds?: number;
  /** Called after each operator and shape. */
  readonly onTiming?: (timing: FormTiming, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Fewest runs that the fastest is taken of. */
const LEAST_RUNS = 3;

/**
 * Measures the forms of all operators that have several, and returns a table for lowering programs for this machine.
 *
 * Each form runs on random numbers in a session of its own, in turn with its competitors; the fastest run counts, which other work
 * on the machine disturbs least. Takes about a minute on CPU, several in WASM.
 *
 * @throws The signal's reason when aborted.
 * @example
 * const table = await tuneLowering(runtime);
 * const training = await compile(step, { runtime, table });
 */
export async function tuneLowering(runtime: Runtime, options: TuneOptions = {}): Promise<LoweringTable> {
  const { shapes = TUNED_SHAPES, seconds = 0.15, onTiming, signal } = options;
  const jobs = shapes.flatMap((shape) => alternatives.map((one) => ({ one, shape })));
  const timings: FormTiming[] = [];
  for (const { one, shape } of jobs) {
    signal?.throwIfAborted();
    const timing = { operator: one.operator, shape, ms: await timeForms(runtime, one, shape, seconds) };
    timings.push(timing);
    onTiming?.(timing, timings.length, jobs.length);
  }
  return { runtime: `${runtime.description}, ${runtime.device}`, timings };
}

async function timeForms(runtime: Runtime, one: Alternatives, shape: ConvolutionShape, seconds: number) {
  const sessions: [name: string, session: Session][] = [];
  const best: Record<string, number> = {};
  try {
    let feeds: Record<string, Tensor> = {};
    for (const name of Object.keys(one.forms)) {
      const program = programOf(one, shape, name, runtime);
      if (!program) continue;
      feeds = randomFeeds(program);
      sessions.push([name, await runtime.createSession(writeModel(program))]);
    }
    for (const [, session] of sessions) await session.run(feeds);
    const begin = performance.now();
    for (let run = 0; run < LEAST_RUNS || performance.now() - begin < seconds * 1000 * sessions.length; run++) {
      for (const [name, session] of sessions) {
        const start = performance.now();
        await session.run(feeds);
        best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, performance.now() - start);
      }
    }
  } finally {
    for (const [, session] of sessions) await session.release();
  }
  return Object.fromEntries(Object.entries(best).map(([name, ms]) => [name, Number(ms.toPrecision(3))]));
}

/** The operator alone, in one form; undefined if that form cannot compute it. */
function programOf(one: Alternatives, shape: ConvolutionShape, form: string, { device }: Runtime): Program | undefined {
  const ops = new Ops();
  one.write(ops, shape);
  const { graph } = ops.writer;
  const program = new Program(graph, ops.writer.opsets);
  const written = rewriteProgram(program, (node, rewriting) =>
    keyOf(node) === one.operator ? one.forms[form]!(node, rewriting, { device }) : undefined,
  );
  if (written === 0) return undefined;
  // A single number comes out: copying results would take the same time in all forms.
  const end = new Ops(new GraphWriter(graph, program.opset));
  const flat = end.reshape(graph.outputs[0]!, [-1]);
  graph.outputs = [end.slice(flat, { axes: [0], starts: [0], ends: [1] })];
  lowerProgram(program, { device });
  return program;
}

function randomFeeds(program: Program): Record<string, Tensor> {
  const random = seededRandom(1);
  return Object.fromEntries(
    program.graph.inputs.map(({ name, shape }) => {
      const lengths = shape as readonly number[];
      const count = lengths.reduce((a, b) => a * b, 1);
      return [
        name,
        float32(
          lengths,
          Float32Array.from({ length: count }, () => random.uniform() - 0.5),
        ),
      ];
    }),
  );
}
