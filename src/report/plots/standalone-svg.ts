/** Plots as files of their own. */
import { type Html, htmlToString } from "../html.ts";
import { pageColours } from "../page-style.ts";

/** Returns a drawing of `openDrawing` as an SVG file that shows by itself what it shows on a page, in light and dark. */
export function standaloneSvg(drawing: Html): string {
  const style = `${pageColours()}svg { font: 11px var(--sans); color: var(--muted); background: var(--raised); } text { white-space: pre; }`;
  const svg = htmlToString(drawing).replace(/^<svg\b([^>]*)>/, (_, attributes: string) => {
    const namespace = attributes.includes("xmlns=") ? "" : ' xmlns="http://www.w3.org/2000/svg"';
    return `<svg${namespace}${attributes}><style>${style}</style>`;
  });
  return `${svg}\n`;
}
