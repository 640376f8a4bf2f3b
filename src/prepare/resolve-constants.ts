/** What a file says in several ways about its constants, said in one. */
import type { Program } from "../program/index.ts";
import { constantNodes } from "./passes/constant-nodes.ts";
import { freezeDefaults } from "./passes/freeze-defaults.ts";
import { inlineBranches } from "./passes/inline-branches.ts";

/**
 * Makes constants of Constant nodes and of weights that are listed as inputs, and takes the branches that constants decide.
 * Changes the program in place; nothing is run.
 */
export function resolveConstants(program: Program): void {
  for (let changes = 1; changes > 0; ) {
    changes = 0;
    // These passes compute nothing, so they need no runtime.
    for (const pass of [freezeDefaults, constantNodes, inlineBranches])
      changes += (pass.run as (program: Program) => number)(program);
  }
}
