/** The contract of a preparation pass: a small rewrite of a program that leaves what it computes as it is. */
import type { Program } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";

/** What passes may use besides the program. */
export interface PassContext {
  /** Computes constant parts of a program, so that folded numbers are those the runtime itself would have computed. */
  readonly runtime: Runtime;
}

/** One rewrite of a program's main graph. */
export interface Pass {
  /** Kebab-case name, for records and messages. */
  readonly name: string;
  /** What it does, in one sentence for reports. */
  readonly summary: string;
  /** Rewrites the program in place. Returns the number of places it changed: 0 when there is nothing (left) to do. */
  run(program: Program, context: PassContext): Promise<number> | number;
}
