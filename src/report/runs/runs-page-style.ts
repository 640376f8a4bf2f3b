/** What the page of runs adds to the look of pages: the bar of choices, and the read-out under the pointer. */
export const RUNS_PAGE_STYLE: string = `
.choices { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; margin: .6rem 0 1rem; padding: .6rem .9rem; background: var(--raised); border: 1px solid var(--line); border-radius: 10px; box-shadow: 0 4px 14px -10px rgb(0 0 0 / .5); }
.choices ul { display: flex; flex-wrap: wrap; gap: .3rem .4rem; list-style: none; margin: 0; padding: 0; font-size: .8125rem; flex: 1 1 16rem; min-width: 0; max-height: 7.5rem; overflow-y: auto; }
.choices li { display: inline-flex; align-items: center; padding: .15rem .6rem; min-width: 0; }
.choices button { all: unset; box-sizing: border-box; cursor: pointer; display: inline-flex; align-items: center; padding: .15rem .6rem; border: 1px solid var(--line-strong); border-radius: 99px; max-width: 100%; }
.choices li:has(button) { padding: 0; }
.choices button:hover { border-color: var(--accent); }
.choices button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.choices button[aria-pressed="false"] { color: var(--muted); border-style: dashed; text-decoration: line-through; }
.choices button[aria-pressed="false"] svg { opacity: .3; }
.choices fieldset { border: 0; margin: 0; padding: 0; display: flex; align-items: center; font-size: .8125rem; }
.choices legend { float: left; padding: 0; margin-right: .6rem; color: var(--muted); }
.choices label { position: relative; cursor: pointer; }
.choices label span { display: block; padding: .2rem .65rem; border: 1px solid var(--line-strong); margin-left: -1px; }
.choices label:first-of-type span { border-radius: 7px 0 0 7px; }
.choices label:last-of-type span { border-radius: 0 7px 7px 0; }
.choices input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
.choices input:checked + span { background: var(--info-ground); color: var(--info); border-color: var(--accent); position: relative; font-weight: 600; }
.choices input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 2px; }
.choices [hidden] { display: none; }
svg.swatch { width: 1.5rem; height: .75rem; flex: none; margin-right: .45rem; }
.chart svg.plot { touch-action: pan-y; }
.chart .axes[hidden] { display: none; }
.chart .axes:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
.readout { position: fixed; z-index: 3; pointer-events: none; background: var(--raised); border: 1px solid var(--line-strong); border-radius: 8px; padding: .4rem .65rem .45rem; font-size: .8125rem; line-height: 1.45; box-shadow: 0 6px 20px -8px rgb(0 0 0 / .45); max-width: min(22rem, 90vw); font-variant-numeric: tabular-nums; }
.readout b { display: block; font-weight: 640; color: var(--muted); }
.readout div { display: flex; align-items: center; }
.readout span { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding-right: 1.2rem; }
.readout em { font-style: normal; font-weight: 640; }
@media (max-width: 40rem) { .choices { position: static; } }
@media print { .choices { position: static; box-shadow: none; } .choices fieldset, .readout { display: none; } }
`.trim();
