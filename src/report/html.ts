/** Markup that cannot be confused with text: everything put into a template is escaped unless it is markup itself. */

const markupOf: unique symbol = Symbol("markup");

/** A piece of HTML or SVG that is safe to put into a page. Made by `html` and `trustedHtml` only. */
export interface Html {
  readonly [markupOf]: string;
}

/** What may stand in an `html` template. Null, undefined and false leave nothing. */
export type HtmlPart = Html | string | number | null | undefined | false | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Returns text as it must be written in HTML content or a quoted attribute; control characters become U+FFFD. */
export function escapeHtml(text: string): string {
  return (
    text
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: names in a model file may hold any character
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|\p{Surrogate}/gu, "\ufffd")
  );
}

/**
 * Template tag for markup; interpolated text is escaped.
 *
 * @example
 * html`<li title="${name}">${name}</li>`
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const markup = strings.reduce((sum, literal, i) => sum + render(parts[i - 1]) + literal);
  return trustedHtml(markup);
}

/** Declares that a string is markup already. Only for markup that this library made, never for anything read from a file. */
export function trustedHtml(markup: string): Html {
  return { [markupOf]: markup };
}

/** Returns the characters of a piece of markup. */
export function htmlToString(part: Html): string {
  return part[markupOf];
}

function render(part: HtmlPart): string {
  if (part === null || part === undefined || part === false) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  if (isList(part)) return part.map(render).join("");
  return part[markupOf];
}

function isList(part: Html | readonly HtmlPart[]): part is readonly HtmlPart[] {
  return Array.isArray(part);
}
