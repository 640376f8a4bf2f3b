/** Pictures that a quantization was calibrated on, to be looked at. */
import { html } from "./html.ts";
import { figure, type Section } from "./page.ts";

/** One picture of many. */
export interface PictureSheet {
  /** A `data:` URI: pages load nothing. */
  readonly source: string;
  /** What is on it, for those who do not see it and as its caption. */
  readonly text: string;
}

/** Returns the section that shows synthesized pictures. */
export function picturesSection({ source, text }: PictureSheet): Section {
  return {
    id: "pictures",
    title: "Synthesized pictures",
    lead: "Made from noise by matching the statistics that the model's batch normalizations know. Edges, patches and shapes are a good sign; grain or one colour are not: then use pictures of your own.",
    body: figure({
      title: "Calibrated on these",
      caption: text,
      svg: html`<img src="${source}" alt="${text}" style="width:100%;max-width:68rem;image-rendering:pixelated">`,
      wide: true,
    }),
  };
}
