import fc from "fast-check";
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { escapeHtml, html, htmlToString, trustedHtml } from "./html.ts";

test("text in a template is escaped, markup is not", () => {
  const inner = html`<b>${"<i>&\"'"}</b>`;
  expect(htmlToString(html`<p>${inner}</p>`)).toBe("<p><b>&lt;i&gt;&amp;&quot;&#39;</b></p>");
});

test("null, undefined and false leave nothing, zero is written, lists are joined", () => {
  expect(htmlToString(html`${null}${undefined}${false}${0}${["a", html`<br>`, ["b"]]}`)).toBe("0a<br>b");
});

test("trusted markup passes as it is: the negative control of escaping", () => {
  expect(htmlToString(html`${trustedHtml("<i>")}`)).toBe("<i>");
});

test("control characters and lone surrogates become the replacement character", () => {
  expect(escapeHtml("a\u0000b\u001bc\ud800d\n\t")).toBe("a\ufffdb\ufffdc\ufffdd\n\t");
});

test("any text comes back from a parser, in content and in attributes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      const { document } = parseHTML(`<html><body>${htmlToString(html`<p title="${text}">${text}</p>`)}</body></html>`);
      const p = document.querySelector("p");
      expect(document.querySelectorAll("body > *").length).toBe(1);
      expect(p?.textContent).toBe(text);
      expect(p?.getAttribute("title")).toBe(text);
    }),
  );
});
