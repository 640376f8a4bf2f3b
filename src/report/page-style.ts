/**
 * The look of every page Modicum writes: system fonts, light and dark, paper, 360 to 1600 pixels and beyond.
 *
 * Colours are Okabe and Ito's palette, which colour-blind readers can tell apart, lightened on dark ground; no meaning rests on
 * colour alone. Contrast of text on its ground is at least 4.5:1 (WCAG AA). Plots use the same variables, so one SVG serves
 * both grounds.
 */
export const PAGE_STYLE: string = `
${pageColours()}*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1.5rem; }
body {
  margin: 0; background: var(--ground); color: var(--text); font: 400 1rem/1.55 var(--sans);
  -webkit-font-smoothing: antialiased; overflow-wrap: anywhere;
}
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, kbd { font-family: var(--mono); font-size: .875em; unicode-bidi: isolate; }
.banner code, .lead code { white-space: nowrap; }
p { margin: 0 0 .9em; max-width: 68ch; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: .5rem 1rem; z-index: 2; }
.wrap { max-width: 92rem; margin: 0 auto; padding: 0 var(--gap); }

.masthead { padding: clamp(1.5rem, 4vw, 3.25rem) 0 clamp(1.25rem, 2.5vw, 2rem); border-bottom: 1px solid var(--line); }
.eyebrow { margin: 0 0 .5rem; color: var(--muted); font-size: .8125rem; letter-spacing: .04em; }
.eyebrow b { color: var(--accent); font-weight: 650; }
h1 { margin: 0; font-size: clamp(1.55rem, 1.1rem + 1.9vw, 2.5rem); line-height: 1.15; letter-spacing: -.018em; font-weight: 680; text-wrap: balance; }
.subtitle { margin: .75rem 0 0; font-size: clamp(1rem, .95rem + .3vw, 1.1875rem); color: var(--muted); max-width: 72ch; }
.numbers { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 0; padding: 0; }
.number { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem .85rem; flex: 1 1 9.5rem; min-width: 0; max-width: 22rem; }
.number dt { color: var(--muted); font-size: .8125rem; line-height: 1.3; }
.number dd { margin: 0; }
.number .value { font-size: clamp(1.4rem, 1.15rem + .8vw, 1.8rem); line-height: 1.2; font-weight: 660; letter-spacing: -.02em; font-variant-numeric: tabular-nums; margin-top: .3rem; overflow-wrap: normal; }
.number .note { color: var(--muted); font-size: .8125rem; line-height: 1.35; margin-top: .2rem; }

.banner { display: flex; gap: .7rem; margin: 1.25rem 0 0; padding: .75rem 1rem; border-radius: 10px; border: 1px solid; max-width: none; }
.banner > .mark { flex: none; font-weight: 700; }
.banner p { margin: 0; max-width: 80ch; color: var(--text); }
.good { --tone: var(--good); --tone-ground: var(--good-ground); }
.caution { --tone: var(--caution); --tone-ground: var(--caution-ground); }
.bad { --tone: var(--bad); --tone-ground: var(--bad-ground); }
.info { --tone: var(--info); --tone-ground: var(--info-ground); }
.banner { color: var(--tone); background: var(--tone-ground); border-color: color-mix(in srgb, var(--tone) 35%, transparent); }
.tag { display: inline-block; padding: .05em .5em; border-radius: 99px; font-size: .8125rem; font-weight: 600; white-space: nowrap; color: var(--tone, var(--muted)); background: var(--tone-ground, var(--sunk)); }

.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 clamp(2rem, 4vw, 4rem); }
nav { display: none; }
main { min-width: 0; padding-bottom: 2rem; }
section { padding-top: clamp(1.75rem, 3.4vw, 2.75rem); }
h2 { margin: 0 0 .35rem; font-size: clamp(1.2rem, 1.08rem + .5vw, 1.45rem); line-height: 1.25; letter-spacing: -.01em; font-weight: 660; }
h3 { margin: 1.6rem 0 .3rem; font-size: 1.0313rem; line-height: 1.35; font-weight: 640; }
.lead { color: var(--muted); margin-bottom: 1.1rem; }
@media (min-width: 75rem) {
  .columns { grid-template-columns: 12.5rem minmax(0, 1fr); }
  nav { display: block; position: sticky; top: 0; align-self: start; padding: 2.9rem 0 1rem; max-height: 100vh; overflow: auto; font-size: .875rem; line-height: 1.35; }
  nav ol { list-style: none; margin: 0; padding: 0; border-left: 1px solid var(--line); }
  nav a { display: block; padding: .32rem 0 .32rem .9rem; color: var(--muted); text-decoration: none; }
  nav a:hover { color: var(--text); box-shadow: -1px 0 0 var(--accent); border-radius: 0; }
}

.scroll { overflow-x: auto; max-width: 100%; overscroll-behavior-x: contain; }
.table { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.4; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th:first-child, td:first-child { padding-left: .9rem; }
th:last-child, td:last-child { padding-right: .9rem; }
caption { text-align: left; padding: .8rem .9rem .2rem; color: var(--muted); font-size: .875rem; }
caption > span { display: inline-block; position: sticky; left: .9rem; max-width: min(72ch, calc(100vw - 5rem)); }
caption b { color: var(--text); font-weight: 640; }
th, td { padding: .42rem .6rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { white-space: nowrap; }
thead th.wraps { white-space: normal; }
thead th { color: var(--muted); font-weight: 600; font-size: .8125rem; vertical-align: bottom; line-height: 1.3; border-bottom-color: var(--line-strong); }
tbody th { font-weight: 400; }
tbody tr:hover > * { background: color-mix(in srgb, var(--accent) 5%, transparent); }
.right { text-align: right; white-space: nowrap; }
.short { white-space: nowrap; }
td.wide { min-width: 22ch; }
th code, td code { font-size: .8125rem; white-space: nowrap; }
thead button { all: unset; cursor: pointer; font: inherit; color: inherit; }
thead button:hover { color: var(--text); }
thead button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
thead button::after { content: "\\2195"; margin-left: .3em; opacity: .35; font-size: .85em; }
th[aria-sort="ascending"] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort="descending"] button::after { content: "\\2193"; opacity: 1; }
th[aria-sort] { color: var(--text); }

dl.facts { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .3rem 1.4rem; margin: .8rem 0 1.2rem; font-size: .9375rem; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
@media (max-width: 30rem) { dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0; } dl.facts dd { margin-bottom: .6rem; } }

figure { margin: 1rem 0 1.4rem; min-width: 0; background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem .7rem; }
figcaption { font-size: .875rem; line-height: 1.45; color: var(--muted); margin-bottom: .6rem; }
figcaption b { display: block; color: var(--text); font-weight: 640; }
figcaption code { color: var(--text); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; margin: 1rem 0 1.4rem; align-items: stretch; }
.figures > figure { margin: 0; display: flex; flex-direction: column; }
.figures > figure:only-child { max-width: 36rem; }
.figures > figure > .scroll { margin-block: auto; }
svg.plot { display: block; width: 100%; max-width: 36rem; height: auto; font-family: var(--sans); font-size: 11px; color: var(--muted); overflow: visible; margin-inline: auto; }
svg.plot text { white-space: pre; }
.wide svg.plot { max-width: none; min-width: 40rem; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; list-style: none; margin: .35rem 0 0; padding: 0; font-size: .8125rem; }
.legend i { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .4em; vertical-align: -.04em; background: var(--swatch); }
.legend i.rule { height: 0; width: 1.2em; border-top: 2px dashed var(--swatch); background: none; border-radius: 0; vertical-align: .25em; }
.legend i.dot { border-radius: 50%; }

.advice { margin: .8rem 0 1.2rem; padding: 0; list-style: none; counter-reset: advice; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.advice > li { position: relative; background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: .85rem 1rem .9rem 2.7rem; counter-increment: advice; min-width: 0; }
.advice > li::before { content: counter(advice); position: absolute; left: .95rem; top: .85rem; font-weight: 660; color: var(--accent); font-variant-numeric: tabular-nums; }
.advice p { margin: 0; font-size: .9375rem; }
.quiet { color: var(--muted); }
pre { margin: .5rem 0 0; padding: .6rem .8rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 7px; overflow-x: auto; font: .8125rem/1.5 var(--mono); white-space: pre; overflow-wrap: normal; }
ul.plain { margin: .6rem 0 1.1rem; padding-left: 1.2rem; }
ul.plain li { margin-bottom: .35rem; max-width: 72ch; }
details { margin: .8rem 0 1.2rem; }
summary { cursor: pointer; color: var(--accent); font-weight: 600; font-size: .9375rem; }
.empty, .truncated { color: var(--muted); font-size: .875rem; }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; padding: 1.25rem 0 2.5rem; color: var(--muted); font-size: .8125rem; }
footer dl { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; margin: 0; }
footer dl div { display: flex; gap: .45rem; min-width: 0; }
footer dd { margin: 0; color: var(--text); font-variant-numeric: tabular-nums; }

@media print {
  :root {
    color-scheme: light; --ground: #fff; --raised: #fff; --sunk: #fff; --line: #d5d5d5; --line-strong: #999; --text: #000; --muted: #444;
    --accent: #000; --series-1: #0072b2; --series-2: #c75200; --series-3: #00805c; --series-4: #9c4f7d; --series-5: #8a6d00; --series-0: #777;
    --good: #00704f; --good-ground: #fff; --caution: #7d5a00; --caution-ground: #fff; --bad: #a83c00; --bad-ground: #fff; --info: #005f99; --info-ground: #fff;
  }
  body { font-size: 10pt; }
  nav, .skip, thead button::after { display: none; }
  .wrap { max-width: none; padding: 0; }
  .columns { display: block; }
  .scroll { overflow: visible; }
  figure, .number, .advice > li, tr, .banner { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  thead { display: table-header-group; }
  table { font-size: 7.5pt; }
  th, td { padding: .25rem .4rem; }
  th code, td code { white-space: normal; }
  .wide svg.plot { min-width: 0; }
  .number { flex-basis: 30%; }
}
`.trim();

/** Returns the colours and faces as CSS variables, for light and dark; drawings that stand alone have them too. */
export function pageColours(): string {
  return `:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --raised: #ffffff; --sunk: #f3f1ec; --line: #e2dfd7; --line-strong: #c9c5ba;
  --text: #1d1f23; --muted: #62656c; --accent: #005f99;
  --series-1: #0072b2; --series-2: #c75200; --series-3: #00805c; --series-4: #9c4f7d; --series-5: #8a6d00; --series-0: #8b8d94;
  --good: #00704f; --good-ground: #e4f3ec; --caution: #7d5a00; --caution-ground: #fdf1d6; --bad: #a83c00; --bad-ground: #fdeadf;
  --info: #005f99; --info-ground: #e5f0f8;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
  --gap: clamp(1rem, 2.2vw, 2rem);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121417; --raised: #1a1d21; --sunk: #0d0f11; --line: #2b2f35; --line-strong: #454a52;
    --text: #e8e9eb; --muted: #a0a5ad; --accent: #7cc4f2;
    --series-1: #56b4e9; --series-2: #f28b50; --series-3: #3fc79a; --series-4: #e08fc0; --series-5: #e6c229; --series-0: #7e838b;
    --good: #62d6a9; --good-ground: #12291f; --caution: #f0c453; --caution-ground: #2e2510; --bad: #ff9d6c; --bad-ground: #331b0f;
    --info: #7cc4f2; --info-ground: #11263a;
  }
}
`;
}
