/** The shell of every HTML page Modicum writes: one file, nothing loaded from anywhere, plus the parts that pages are made of. */
import { keepUnits } from "./format.ts";
import { type Html, type HtmlPart, html, htmlToString, trustedHtml } from "./html.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** How something turned out. Shown by a sign and a word as well as a colour. */
export type Tone = "good" | "caution" | "bad" | "info";

/** A number that the reader should see before anything else. */
export interface KeyNumber {
  readonly label: string;
  /** Already formatted, with its unit. */
  readonly value: string;
  /** A few words below it. */
  readonly note?: string;
}

/** A name and what it stands for. */
export interface Fact {
  readonly name: string;
  readonly value: HtmlPart;
}

/** A part of a page with a heading of its own. */
export interface Section {
  /** Unique within the page; letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  /** A sentence or two on what is shown and how to read it. */
  readonly lead?: HtmlPart;
  readonly body: HtmlPart;
}

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  /** Small print above the title, such as the kind of report. */
  readonly eyebrow?: string;
  /** The conclusion in one or two sentences. */
  readonly subtitle?: HtmlPart;
  readonly numbers?: readonly KeyNumber[];
  /** The verdict, and warnings that must not be missed: above the key numbers. */
  readonly banners?: readonly Html[];
  readonly sections: readonly Section[];
  /** Versions, seed, date: what is needed to get the same result again. */
  readonly footer: readonly Fact[];
  /** Language tag of the text. Default "en". */
  readonly language?: string;
}

/** Returns a complete HTML document. The page runs no code but its own and its policy forbids it to load anything. */
export function page(parts: PageParts): string {
  const { title, eyebrow, subtitle, numbers = [], banners = [], sections, footer, language = "en" } = parts;
  const document = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="generator" content="modicum">
<title>${title}</title>
<style>${trustedHtml(PAGE_STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="wrap">
<header class="masthead">
${eyebrow && html`<p class="eyebrow"><b>modicum</b> · ${eyebrow}</p>`}
<h1>${title}</h1>
${subtitle && html`<div class="subtitle">${subtitle}</div>`}
${banners}
${numbers.length > 0 && keyNumbers(numbers)}
</header>
<div class="columns">
<nav aria-label="Sections"><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<main id="content">
${sections.map(section)}
</main>
</div>
<footer><dl>${footer.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></footer>
</div>
<script>${trustedHtml(PAGE_SCRIPT)}</script>
</body>
</html>
`;
  return htmlToString(document);
}

/** Returns a section with its heading. */
export function section({ id, title, lead, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${lead && html`<p class="lead">${lead}</p>`}
${body}
</section>
`;
}

/** Returns a row of cards, one number each. */
export function keyNumbers(numbers: readonly KeyNumber[]): Html {
  return html`<dl class="numbers">${numbers.map(
    ({ label, value, note }) =>
      html`<div class="number"><dt>${label}</dt><dd class="value">${keepUnits(value)}</dd>${note && html`<dd class="note">${keepUnits(note)}</dd>`}</div>`,
  )}</dl>`;
}

const MARKS: Readonly<Record<Tone, string>> = { good: "✓", caution: "!", bad: "✕", info: "i" };

/** Returns a remark across the whole page. */
export function banner(tone: Tone, text: HtmlPart): Html {
  return html`<div class="banner ${tone}" role="note"><span class="mark" aria-hidden="true">${MARKS[tone]}</span><p>${text}</p></div>`;
}

/** Returns a word or two on coloured ground, to stand inside a sentence or a cell. */
export function tag(tone: Tone, text: string): Html {
  return html`<span class="tag ${tone}">${text}</span>`;
}

/** Returns a list of names and values. */
export function facts(items: readonly Fact[]): Html {
  return html`<dl class="facts">${items.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Returns content that is folded away until asked for. */
export function details(summary: HtmlPart, body: HtmlPart): Html {
  return html`<details><summary>${summary}</summary>
${body}
</details>`;
}

/** One entry of a figure's legend; `colour` is a CSS colour, best one of the page's variables such as `var(--series-1)`. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  /** Default "box". */
  readonly shape?: "box" | "dot" | "rule";
}

/** What a figure is made of. */
export interface FigureParts {
  readonly svg: Html;
  readonly title: HtmlPart;
  readonly caption?: HtmlPart;
  readonly legend?: readonly LegendEntry[];
  /** Takes the whole width of the page; scrolls sideways on narrow screens instead of shrinking beyond reading. Default false. */
  readonly wide?: boolean;
}

/** Returns a plot with its title, explanation and legend. */
export function figure({ svg, title, caption, legend = [], wide = false }: FigureParts): Html {
  return html`<figure${wide && trustedHtml(' class="wide"')}><figcaption><b>${title}</b>${caption}${
    legend.length > 0 &&
    html`<ul class="legend">${legend.map(
      ({ label, colour, shape = "box" }) => html`<li><i class="${shape}" style="--swatch:${colour}"></i>${label}</li>`,
    )}</ul>`
  }</figcaption><div class="scroll"${wide && trustedHtml(' tabindex="0" role="group" aria-label="Plot, scrolls sideways"')}>${svg}</div></figure>
`;
}

/** Returns figures side by side, as many as fit. */
export function figureGrid(figures: readonly Html[]): Html {
  return html`<div class="figures">${figures}</div>`;
}
