/** Scopes to build in, where nothing is run. */
import { Ops, Scope, type VariableDeclaration, type VariableSource } from "../../src/build/index.ts";

/** A scope whose variables are inputs of the program, with what was declared and updated. */
export function buildScope(path = "", training = true) {
  const ops = new Ops();
  const declared = new Map<string, VariableDeclaration>();
  const updated: string[] = [];
  const variables: VariableSource = {
    declare: (name, declaration) => {
      declared.set(name, declaration);
      return ops.input(name, declaration.dtype, declaration.shape);
    },
    update: (name) => updated.push(name),
  };
  const top = new Scope(ops, { variables, training });
  const scope = path === "" ? top : path.split(".").reduce((parent, name) => parent.child(name), top);
  const shapes = () => Object.fromEntries([...declared].map(([name, { shape }]) => [name, shape]));
  return { ops, scope, declared, shapes, updated };
}
