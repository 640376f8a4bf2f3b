/** Draws plots as static SVG: Observable Plot on linkedom's document, both loaded at the first plot and not before. */
import type * as ObservablePlot from "@observablehq/plot";
import { type Html, trustedHtml } from "../html.ts";

/** The plotting library. */
export type PlotLibrary = typeof ObservablePlot;

/** A drawing surface: the library, and a function that turns a description into markup. */
export interface Drawing {
  readonly Plot: PlotLibrary;
  /**
   * Returns the plot as SVG in the page's style. Text takes the colour of its surroundings; marks should use the page's
   * variables (`var(--series-1)` ...), so that the plot follows light and dark.
   */
  draw(options: ObservablePlot.PlotOptions & { readonly ariaLabel: string }): Html;
}

let loading: Promise<Drawing> | undefined;

/** Loads the plotting library, once. */
export function openDrawing(): Promise<Drawing> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Drawing> {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return {
    Plot,
    draw(options) {
      const svg = Plot.plot({ ...options, document, className: "plot", figure: false } as ObservablePlot.PlotOptions);
      svg.querySelector("style")?.remove();
      for (const name of ["font-family", "font-size"]) svg.removeAttribute(name);
      svg.setAttribute("role", "img");
      for (const label of svg.querySelectorAll('g[aria-label$="tick label"] > text:empty')) label.remove();
      return trustedHtml(shortenNumbers(svg.outerHTML));
    },
  };
}

/** Rounds coordinates to hundredths of a pixel: a third of the bytes. Text between tags stays as it is. */
function shortenNumbers(svg: string): string {
  return svg.replace(/<[^<>]*>/g, (tag) =>
    tag.replace(/(?<=[ "(,MLHVCQAZ-])(\d+\.\d{3,})(?=[ "),MLHVCQAZ-])/g, (digits) =>
      String(Math.round(Number(digits) * 100) / 100),
    ),
  );
}
