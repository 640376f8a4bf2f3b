import type { Layer } from "../../../src/build/index.ts";
import { nn } from "../../../src/index.ts";
import { TRANSFORMER } from "../cases/transformer.ts";

/** The encoder whose parameters `cases/transformer.ts` lists: token ids [batch, length] -> scores [batch, classes]. */
export function transformer(classes: number): Layer {
  const { layers, width, heads, hidden, length, vocabulary } = TRANSFORMER;
  const block = nn.transformerEncoderLayer({
    heads,
    feedForward: hidden,
    activation: nn.gelu(),
    norm: "pre",
    dropout: 0,
  });
  return (ids, scope) => {
    const tokens = nn.embedding({ count: vocabulary, features: width })(ids, scope.child("tokens"));
    const positions = scope.child("positions").parameter("weight", [length, width], nn.zeros());
    let x = scope.ops.add(tokens, positions);
    for (let i = 0; i < layers; i++) x = block(x, scope.child("blocks").child(i));
    const normalized = nn.layerNorm()(x, scope.child("norm"));
    const pooled = scope.ops.reduceMean(normalized, { axes: [1], keepDims: false });
    return nn.linear(classes)(pooled, scope.child("head"));
  };
}
