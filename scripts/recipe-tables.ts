/** The tables of docs/recipes.md, made from the schema of recipes and from the recipes by name. */
import { parseRecipe, type Recipe, type RecipeInput, recipes } from "../src/fit/index.ts";
import { type KeySchema, recipeJsonSchema } from "../src/fit/recipe-keys.ts";

/** Returns the page with the tables after `<!-- keys -->` and `<!-- recipes -->`, up to `<!-- end -->`, as they are now. */
export function withRecipeTables(page: string): string {
  const tables: Readonly<Record<string, string>> = { keys: keyTable(), recipes: recipeTable() };
  return page.replace(
    /(<!-- (keys|recipes) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n${tables[name]}\n\n${end}`,
  );
}

interface Row {
  readonly key: string;
  readonly schema: KeySchema;
  readonly isRequired: boolean;
  /** Forms of the object that have this key, where not all have it. */
  readonly forms: readonly string[];
}

function keyTable(): string {
  const rows = rowsOf(recipeJsonSchema(), "").map(({ key, schema, isRequired, forms }) => {
    const only = forms.length === 0 ? "" : ` (${forms.map((form) => `\`${form}\``).join(", ")})`;
    return `| \`${key}\`${only} | ${schema.description ?? ""} | ${valuesOf(schema)} | ${defaultOf(schema, isRequired)} |`;
  });
  return ["| key | meaning | values | default |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** All keys below a place, each once, in the order of the schema. */
function rowsOf(place: KeySchema, path: string): Row[] {
  if (place.items) return rowsOf(place.items, `${path}[]`);
  const forms = place.anyOf ?? place.oneOf;
  if (forms?.every(({ properties }) => properties)) return rowsOfForms(forms, path);
  return Object.entries(place.properties ?? {}).flatMap(([name, schema]) => {
    const key = path === "" ? name : `${path}.${name}`;
    const isRequired = place.required?.includes(name) === true && schema.default === undefined;
    return [{ key, schema, isRequired, forms: [] }, ...rowsOf(schema, key)];
  });
}

function rowsOfForms(forms: readonly KeySchema[], path: string): Row[] {
  const rows = new Map<string, Row>();
  const kinds = forms.map(formName);
  const inner = new Set<string>();
  for (const [index, form] of forms.entries()) {
    for (const row of rowsOf(form, path)) {
      if (row.forms.length > 0) inner.add(row.key);
      const forms = inner.has(row.key) ? row.forms : [...(rows.get(row.key)?.forms ?? []), kinds[index]!];
      rows.set(row.key, { ...row, ...rows.get(row.key), forms });
    }
  }
  return [...rows.values()].map((row) => {
    if (row.key === `${path}.kind`) return { ...row, schema: { description: "Which one.", enum: kinds }, forms: [] };
    return row.forms.length === forms.length && !inner.has(row.key) ? { ...row, forms: [] } : row;
  });
}

function formName({ properties = {} }: KeySchema): string {
  const { kind } = properties;
  return kind ? String(kind.const ?? kind.enum?.join(", ")) : Object.keys(properties)[0]!;
}

function valuesOf(schema: KeySchema): string {
  const { type, enum: names, items } = schema;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (names) return names.map((name) => `\`${name}\``).join(", ");
  if (items) return "list";
  if (schema.anyOf?.every(({ properties }) => !properties)) return schema.anyOf.map(valuesOf).join(" or ");
  if (type === "integer") return `whole number${rangeOf(schema)}`;
  if (type === "number") return `number${rangeOf(schema)}`;
  return { string: "text", boolean: "`true`, `false`" }[type ?? ""] ?? "object";
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: KeySchema): string {
  const limits = [
    minimum === undefined || Math.abs(minimum) === Number.MAX_SAFE_INTEGER ? undefined : `from ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `above ${exclusiveMinimum}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : `to ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `below ${exclusiveMaximum}`,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? "" : ` ${limits.join(" ")}`;
}

function defaultOf({ default: value, const: only }: KeySchema, isRequired: boolean): string {
  if (isRequired && only === undefined) return "required";
  if (value === undefined) return "";
  return `\`${typeof value === "number" ? Number(value.toPrecision(6)) : JSON.stringify(value)}\``;
}

function recipeTable(): string {
  const rows = Object.entries<RecipeInput>(recipes).map(([name, written]) => {
    const recipe = parseRecipe(written, name);
    const { data, epochs, batch, learningRate } = recipe;
    const augment = data.augment.map(({ kind }) => kind).join(", ") || "-";
    const cells = [
      `\`${name}\``,
      data.set,
      epochs,
      batch.size,
      optimizerText(recipe),
      `${learningRate}, ${recipe.schedule.kind}`,
    ];
    return `| ${[...cells, recipe.optimizer.weightDecay, augment].join(" | ")} |`;
  });
  const header = "| recipe | data | epochs | batch | optimizer | learning rate | weight decay | augmentation |";
  return [header, "| --- | --- | ---: | ---: | --- | --- | --- | --- |", ...rows].join("\n");
}

function optimizerText({ optimizer }: Recipe): string {
  return optimizer.kind === "sgd" && optimizer.nesterov ? "sgd, Nesterov" : optimizer.kind;
}
