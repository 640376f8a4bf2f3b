/** Copying drafts: lowering rewrites a program in place, and a draft may be lowered more than once. */
import type { Layer } from "../../prepare/index.ts";
import { cloneProgram, type Node, type Value } from "../../program/index.ts";
import type { ActivationPlan, ActivationRequest } from "../activation-plan.ts";
import type { Draft } from "./refinement.ts";

/** A copy of a draft, and the way from the original's values to the copy's. */
export interface ClonedDraft {
  readonly draft: Draft;
  readonly values: ReadonlyMap<Value, Value>;
}

/** Copies a draft with its program. Integers and grids are shared. */
export function cloneDraft(original: Draft): ClonedDraft {
  const { program, values } = cloneProgram(original.program);
  const nodes = new Map<Node, Node>();
  const copies = [...program.allNodes()];
  for (const [i, node] of [...original.program.allNodes()].entries()) nodes.set(node, copies[i]!);
  const value = (one: Value): Value => values.get(one) ?? one;
  const node = (one: Node): Node => nodes.get(one) ?? one;
  const layers = new Map(original.layers.map((layer) => [layer, copyOf(layer, value, node)]));
  const draft: Draft = {
    ...original,
    program,
    layers: [...layers.values()],
    plan: planCopy(original.plan, { value, node, layers }),
    weights: new Map(
      [...original.weights].map(([layer, quantized]) => {
        const copied = layers.get(layer)!;
        return [copied, { ...quantized, layer: copied }];
      }),
    ),
    grids: new Map([...original.grids].map(([one, grid]) => [value(one), grid])),
  };
  return { draft, values };
}

type CopyOf<T> = (original: T) => T;

function copyOf(layer: Layer, value: CopyOf<Value>, node: CopyOf<Node>): Layer {
  return {
    ...layer,
    node: node(layer.node),
    weight: value(layer.weight),
    bias: layer.bias && value(layer.bias),
    biasNode: layer.biasNode && node(layer.biasNode),
    input: value(layer.input),
    output: value(layer.output),
    activation: { ...layer.activation, nodes: layer.activation.nodes.map(node) },
    result: value(layer.result),
  };
}

interface Copies {
  readonly value: CopyOf<Value>;
  readonly node: CopyOf<Node>;
  readonly layers: ReadonlyMap<Layer, Layer>;
}

function planCopy(plan: ActivationPlan, { value, node, layers }: Copies): ActivationPlan {
  const request = (one: ActivationRequest): ActivationRequest => ({
    ...one,
    value: value(one.value),
    statisticsOf: value(one.statisticsOf),
    layer: one.layer && (layers.get(one.layer) ?? one.layer),
  });
  const both = (map: ReadonlyMap<Value, Value>) => new Map([...map].map(([a, b]) => [value(a), value(b)]));
  return {
    requests: new Map([...plan.requests].map(([one, of]) => [value(one), request(of)])),
    sameGridAs: both(plan.sameGridAs),
    concatenations: new Map([...plan.concatenations].map(([whole, parts]) => [value(whole), parts.map(value)])),
    absorbed: new Set([...plan.absorbed].map(node)),
    stored: both(plan.stored),
  };
}
