/** Which classes are taken for which. */
import { formatPercent } from "../format.ts";
import type { Html } from "../html.ts";
import { openDrawing } from "./draw.ts";

/** Most classes whose shares are written into the cells, and whose names stand beside them. */
const MOST_WRITTEN = 12;
const MOST_NAMED = 40;

/**
 * Returns a heat map of a confusion matrix: a row for each true class, a column for each decision, shares of the row. Errors
 * have a colour of their own, scaled to the largest of them: a good network makes few, and those should be seen.
 *
 * @param confusion Counts by true class, then by decision.
 * @param names Of the classes; their numbers otherwise.
 */
export async function confusionPlot(
  confusion: readonly (readonly number[])[],
  names: readonly string[] = confusion.map((_, i) => String(i)),
): Promise<Html> {
  const { Plot, draw } = await openDrawing();
  const count = confusion.length;
  const label = (i: number): string => shorten(names[i] ?? String(i));
  const cells = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value, decision) => ({ truth, decision, value, share: total === 0 ? 0 : value / total }));
  });
  type Cell = (typeof cells)[number];
  const isRight = ({ truth, decision }: Cell): boolean => truth === decision;
  const worst = Math.max(...cells.filter((cell) => !isRight(cell)).map(({ share }) => share), 1e-9);
  const weight = (cell: Cell): number => (isRight(cell) ? 0.75 * cell.share : 0.85 * Math.sqrt(cell.share / worst));
  const isNamed = count <= MOST_NAMED;
  const longest = isNamed ? Math.max(...names.map((name) => shorten(name).length)) : 0;
  const margin = isNamed ? 14 + 6 * longest : 16;
  const ticks = { tickSize: 0, tickFormat: isNamed ? label : () => "", label: null } as const;
  return draw({
    ariaLabel: `Confusion matrix of ${count} classes`,
    width: 460,
    height: 460,
    marginLeft: margin,
    marginBottom: isNamed && longest > 2 ? margin : 26,
    marginTop: 4,
    marginRight: 4,
    x: {
      ...ticks,
      type: "band",
      domain: confusion.map((_, i) => i),
      padding: count > MOST_WRITTEN ? 0 : 0.04,
      tickRotate: longest > 2 ? -90 : 0,
    },
    y: { ...ticks, type: "band", domain: confusion.map((_, i) => i), padding: count > MOST_WRITTEN ? 0 : 0.04 },
    marks: [
      Plot.cell(cells, { x: "decision", y: "truth", fill: "var(--sunk)" }),
      Plot.cell(
        cells.filter(({ value }) => value > 0),
        {
          x: "decision",
          y: "truth",
          fill: (cell: Cell) => (isRight(cell) ? "var(--series-1)" : "var(--series-2)"),
          fillOpacity: weight,
          title: ({ truth, decision, value, share }: Cell) =>
            `${names[truth] ?? truth} taken for ${names[decision] ?? decision}: ${value}, ${formatPercent(100 * share)}`,
        },
      ),
      ...(count > MOST_WRITTEN
        ? []
        : [
            Plot.text(
              cells.filter(({ share }) => share >= 0.005),
              {
                x: "decision",
                y: "truth",
                text: ({ share }: Cell) => String(Math.round(100 * share)),
                fill: "var(--text)",
                pointerEvents: "none",
              } as object,
            ),
          ]),
    ],
  });
}

function shorten(name: string): string {
  return name.length > 12 ? `${name.slice(0, 11)}…` : name;
}
