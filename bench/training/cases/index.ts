/** The cases, in the order of the table. */
import type { TrainingCase } from "./case.ts";
import { mlp256 } from "./mlp-256.ts";
import { mlp2048 } from "./mlp-2048.ts";
import { resnet18 } from "./resnet18.ts";
import { resnet20 } from "./resnet20.ts";
import { transformer } from "./transformer.ts";

export const CASES: readonly TrainingCase[] = [mlp2048, mlp256, resnet20, resnet18, transformer];
