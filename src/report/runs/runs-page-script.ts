/**
 * The script of the page of runs. The page is complete without it: curves over steps. The script adds what needs a reader's
 * hand: other axes, leaving runs out, reading values off. It draws curves from the numbers in the page, onto axes that the
 * page has for every choice.
 */
export const RUNS_PAGE_SCRIPT: string = `
(() => {
const { runs, frame, mostDots, timeUnit, charts } = JSON.parse(document.getElementById("curve-data").textContent);
const hidden = new Set(), svgElement = (name, attributes, parent) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
};
const place = ({ type, domain: [low, high] }, from, to) => {
  const at = type === "log" ? Math.log : Number;
  return (value) => from + (at(value) - at(low)) / (at(high) - at(low)) * (to - from);
};
const choice = (name) => document.querySelector('input[name="' + name + '"]:checked').value;
const shown = () => charts.map((chart, c) => {
  const axis = choice("x-axis"), scale = chart.y[choice("y-axis")] ? choice("y-axis") : "linear";
  const axes = document.querySelector('.chart[data-chart="' + c + '"] .axes[data-x="' + axis + '"][data-y="' + scale + '"]');
  return { chart, axis, axes, svg: axes.querySelector("svg"), scale: chart.y[scale],
    x: place(chart.x[axis], frame.left, frame.width - frame.right),
    y: place(chart.y[scale], frame.height - frame.bottom, frame.top) };
});
const drawCurves = ({ chart, axis, svg, scale, x, y }) => {
  if (svg.dataset.drawn) return;
  svg.dataset.drawn = "yes";
  for (const old of svg.querySelectorAll(".curves")) old.remove();
  for (const curve of chart.curves) {
    const { colour, dashes } = runs[curve.run];
    const group = svgElement("g", { class: "curves", "data-run": curve.run, fill: "none", stroke: colour }, svg);
    const points = curve.y.flatMap((value, i) =>
      scale.type === "log" && value < scale.domain[0] ? [] : [[x(curve.x[axis][i]).toFixed(1), y(value).toFixed(1)]]);
    svgElement("path", { d: points.length ? "M" + points.join("L") : "", "stroke-width": 1.8, "stroke-linejoin": "round",
      ...(dashes && { "stroke-dasharray": dashes }) }, group);
    if (points.length <= mostDots) for (const [cx, cy] of points) svgElement("circle", { cx, cy, r: 2.4, fill: colour, stroke: "none" }, group);
  }
};
const render = () => {
  clear();
  for (const axes of document.querySelectorAll(".chart .axes")) axes.hidden = true;
  for (const view of shown()) {
    view.axes.hidden = false;
    drawCurves(view);
    for (const group of view.svg.querySelectorAll("g.curves")) group.style.display = hidden.has(+group.dataset.run) ? "none" : "";
  }
};

const readout = document.body.appendChild(Object.assign(document.createElement("div"), { className: "readout", hidden: true }));
readout.setAttribute("aria-live", "polite");
const clear = () => {
  readout.hidden = true;
  for (const cursor of document.querySelectorAll(".cursor")) cursor.remove();
};
const nearest = (values, target) => {
  let low = 0, high = values.length - 1;
  while (high - low > 1) { const middle = (low + high) >> 1; if (values[middle] < target) low = middle; else high = middle; }
  return Math.abs(values[low] - target) <= Math.abs(values[high] - target) ? low : high;
};
const number = (value) => {
  const size = Math.abs(value);
  return (value !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(+value.toPrecision(4))).replaceAll("-", "\\u2212");
};
const position = (axis, value) => axis === "step" ? "step " + Math.round(value) : axis === "epoch" ? "epoch " + +value.toFixed(2) :
  duration(value * timeUnit.seconds);
const duration = (seconds) => seconds < 120 ? +seconds.toPrecision(3) + " s" :
  Math.floor(Math.round(seconds) / 60) + " min " + String(Math.round(seconds) % 60).padStart(2, "0") + " s";
const swatch = (run) => document.querySelectorAll(".choices svg.swatch")[run].cloneNode(true);

// Reads the runs off at a place of the x axis; keyboard and pointer share it.
const readAt = (view, target) => {
  clear();
  const visible = view.chart.curves.filter(({ run }) => !hidden.has(run));
  if (visible.length === 0) return;
  const found = visible.map((curve) => {
    const i = nearest(curve.x[view.axis], target);
    return { run: curve.run, x: curve.x[view.axis][i], value: curve.y[i] };
  });
  const closest = found.reduce((best, one) => Math.abs(one.x - target) < Math.abs(best.x - target) ? one : best);
  const cursor = svgElement("g", { class: "cursor", "pointer-events": "none" }, view.svg);
  svgElement("line", { x1: view.x(closest.x), x2: view.x(closest.x), y1: frame.top, y2: frame.height - frame.bottom,
    stroke: "currentColor", "stroke-opacity": .6, "stroke-dasharray": "2 2" }, cursor);
  // A run that ended before, or reports at other places, is read off only where it has a point nearby.
  const span = view.chart.x[view.axis].domain[1] * .03;
  const near = found.filter((one) => Math.abs(one.x - closest.x) <= span).sort((a, b) => b.value - a.value);
  const title = document.createElement("b");
  title.textContent = position(view.axis, closest.x);
  readout.replaceChildren(title, ...near.map(({ run, value }) => {
    const row = document.createElement("div"), name = document.createElement("span"), text = document.createElement("em");
    name.textContent = runs[run].name;
    text.textContent = number(value);
    row.append(swatch(run), name, text);
    return row;
  }));
  for (const { run, x, value } of near) {
    if (view.scale.type === "log" && value < view.scale.domain[0]) continue;
    svgElement("circle", { cx: view.x(x), cy: view.y(value), r: 4, fill: runs[run].colour, stroke: "var(--raised)", "stroke-width": 1.5 }, cursor);
  }
  const box = view.svg.getBoundingClientRect(), factor = box.width / frame.width, left = box.left + view.x(closest.x) * factor;
  readout.hidden = false;
  const { width, height } = readout.getBoundingClientRect();
  readout.style.left = Math.max(8, left + 14 + width > innerWidth - 8 ? left - 14 - width : left + 14) + "px";
  readout.style.top = Math.max(8, Math.min(innerHeight - height - 8, box.top + 8)) + "px";
  shownAt = { svg: view.svg, top: box.top };
};
// The event of a scroll that brought the chart here may come after its read-out.
let shownAt;
const onScroll = () => { if (shownAt && shownAt.svg.getBoundingClientRect().top !== shownAt.top) clear(); };
const viewOf = (target) => {
  const figure = target.closest && target.closest(".chart");
  return figure ? shown()[+figure.dataset.chart] : undefined;
};
const fromPointer = (event) => {
  const view = event.target.closest && event.target.closest("svg.plot") ? viewOf(event.target) : undefined;
  if (!view) return clear();
  const box = view.svg.getBoundingClientRect(), [low, high] = view.chart.x[view.axis].domain;
  const along = ((event.clientX - box.left) / box.width * frame.width - frame.left) / (frame.width - frame.left - frame.right);
  readAt(view, low + Math.max(0, Math.min(1, along)) * (high - low));
};
addEventListener("pointermove", fromPointer);
addEventListener("pointerdown", fromPointer);
addEventListener("scroll", onScroll, { passive: true });
let keyPlace = {};
addEventListener("keydown", (event) => {
  if (event.key === "Escape") return clear();
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const view = direction && event.target.closest && event.target.closest(".axes") ? viewOf(event.target) : undefined;
  if (!view) return;
  event.preventDefault();
  const places = [...new Set(view.chart.curves.filter(({ run }) => !hidden.has(run)).flatMap(({ x }) => x[view.axis]))].sort((a, b) => a - b);
  const key = view.chart.title + view.axis;
  const at = keyPlace[key] === undefined ? (direction > 0 ? -1 : places.length) : keyPlace[key];
  keyPlace[key] = Math.max(0, Math.min(places.length - 1, at + direction));
  readAt(view, places[keyPlace[key]]);
});

for (const fieldset of document.querySelectorAll(".choices fieldset")) fieldset.hidden = false;
for (const input of document.querySelectorAll(".choices input")) input.addEventListener("change", render);
document.querySelectorAll(".choices li").forEach((item, run) => {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  button.append(...item.childNodes);
  item.append(button);
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(hidden.has(run)));
    if (!hidden.delete(run)) hidden.add(run);
    render();
  });
});
render();
})();
`.trim();
