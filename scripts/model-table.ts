/** The table of docs/models.md, made from the models themselves. */
import { type ModelDefinition, models } from "../src/index.ts";
import { macsPerSample } from "../src/models/trace.cases.ts";

/** Returns the page with the table between `<!-- models -->` and `<!-- end -->` replaced by what there is now. */
export function withModelTable(page: string): string {
  const head = [
    "| Name | | Input | Classes | Parameters | MMACs | Options | Source |",
    "| --- | --- | --- | ---: | ---: | ---: | --- | --- |",
  ];
  const table = [...head, ...Object.values(models).map(rowOf)].join("\n");
  return page.replace(/(<!-- models -->\n)[\s\S]*?(<!-- end -->)/, (_, start: string, end: string) => {
    return `${start}\n${table}\n\n${end}`;
  });
}

function rowOf(model: ModelDefinition): string {
  const { name, title, sampleShape, classes, parameters, options, source } = model;
  const cells = [
    `\`${name}\``,
    title,
    `${model.task === "language" ? "length " : ""}${sampleShape.join(" x ")}`,
    classes,
    parameters.toLocaleString("en-US"),
    Number((macsPerSample(model) / 1e6).toPrecision(4)).toLocaleString("en-US"),
    options.map((option) => `\`${option}\``).join(", "),
    source,
  ];
  return `| ${cells.join(" | ")} |`;
}
