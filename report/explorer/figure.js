/* What all figures have in common: elements, robust axes, tips, downloads. */

/* An element with attributes, listeners ("onclick") and children; texts are texts, never markup. */
function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const option = (value, text, chosen) => element("option", { value, selected: value === chosen }, text);

/* `values`: texts, or [value, text] each; columns are listed by what they are. */
function picker(label, values, chosen, onchange, none) {
  const list = none === undefined ? [] : [option("", none, chosen)];
  const options = (some) => some.map((v) => (Array.isArray(v) ? option(v[0], v[1], chosen) : option(v, v, chosen)));
  const kinds = d3.groups(values, (v) => kindOf(columns.get(v)));
  const inside = kinds.length < 2 ? options(values)
    : kinds.map(([kind, some]) => element("optgroup", { label: kind }, ...options(some)));
  return element("label", {}, label, element("select", { onchange: (e) => onchange(e.target.value) }, ...list, ...inside));
}

const kindOf = (column) => (!column ? "" : column.law ? "laws" : column.axis ? "what was asked for" : "what came of it");

function tick(label, key) {
  const box = element("input", { type: "checkbox", checked: state[key] === "" ? inForce[key] === true : state[key],
                                 onchange: (e) => change({ [key]: e.target.checked }) });
  return element("label", { class: "tick" }, box, label);
}

const button = (text, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, text);

/* ---- axes ---- */

/* From the least to the greatest value, without the few that would leave no room for the others: those
 * beyond the middle nine tenths by more than `widths` of theirs. */
function robustExtent(values, widths = 3) {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return [0, 1];
  const [low, high] = [d3.quantileSorted(sorted, 0.05), d3.quantileSorted(sorted, 0.95)], room = widths * (high - low);
  return room === 0 ? [sorted[0], sorted[sorted.length - 1]]
    : [Math.max(sorted[0], low - room), Math.min(sorted[sorted.length - 1], high + room)];
}

/* {domain, type, cut}: how many values lie beyond the axis. On a log axis only values above zero. */
function axisOf(values, log, widths) {
  const usable = log ? values.filter((x) => x > 0).map(Math.log10) : values.filter(Number.isFinite);
  let [low, high] = robustExtent(usable, widths);
  const cut = usable.filter((x) => x < low || x > high).length;
  if (low === high) [low, high] = log ? [low - 0.5, high + 0.5] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const pad = (high - low) * 0.02;
  const domain = [low - pad, high + pad].map((x) => (log ? 10 ** x : x));
  return { domain, type: log ? "log" : "linear", clamp: true, cut, left: values.length - usable.length };
}

const spansDecades = (values) => {
  const positive = values.filter((x) => x > 0);
  const [low, high] = robustExtent(positive);
  return positive.length > 0.98 * values.length && high > 100 * low;
};

/* As it was chosen, else as the values ask; its box shows what is (tick). */
const inForce = {};
function isLog(key, values) {
  inForce[key] = state[key] === "" ? spansDecades(values) : state[key];
  return inForce[key];
}

const short = (text, most = 16) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);

/* Ticks of a log axis: powers of ten, every so many; where there are too few of them, 1, 2, 5. */
function logTicks([low, high]) {
  const [from, to] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const powers = d3.range(from, to + 1);
  if (powers.length > 2) return powers.filter((p) => p % Math.ceil(powers.length / 7) === 0).map((p) => 10 ** p);
  const some = d3.range(from - 1, to + 1).flatMap((p) => [1, 2, 5].map((m) => m * 10 ** p)).filter((x) => x >= low && x <= high);
  return some.length > 1 ? some : d3.ticks(low, high, 4);
}

const showTick = (x) => (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e4) ? x.toExponential().replace("+", "") : show(x));

/* What of a label has no room in `width` is cut; the choice above has all of it. */
function axisOptions(axis, label, width) {
  return { label: short(label, Math.floor((width - 60) / 6.5)), domain: axis.domain, type: axis.type, clamp: true, grid: true, tickFormat: showTick,
           ticks: axis.type === "log" ? logTicks(axis.domain) : 6 };
}

function cutNote(...axes) {
  const cut = d3.sum(axes, (a) => a.cut), left = d3.sum(axes, (a) => a.left);
  return (cut ? ` ${cut} ${cut === 1 ? "value" : "values"} beyond an axis at its end.` : "") +
         (left ? ` Left out, without a place on it: ${left}.` : "");
}

const runTitle = (row, ...lines) =>
  [systemOf(row), `seed ${seedOf(row)}, run ${data.ids[row]}`, ...lines].join("\n");

/* ---- a view ---- */

/* {id, controls() -> nodes, draw(rows, colors, width) -> {plot, caption, table: [head, rows], alt}}.
 * Without `plot` the caption says why. */
function makeView(view) {
  const section = document.getElementById(view.id);
  view.controlBox = element("div", { class: "controls" });
  view.plotBox = element("div", { class: "plot" });
  view.caption = element("p", { class: "caption" });
  view.svgButton = button("SVG", () => downloadSvg(view), { "aria-label": `Download ${view.name} as SVG` });
  view.csvButton = button("CSV", () => downloadCsv(view.id, view.shown.table), { "aria-label": `Download ${view.name} as CSV` });
  section.append(view.controlBox, view.plotBox, view.caption,
                 element("div", { class: "controls" }, view.svgButton, view.csvButton));
}

function renderView(view, rows, colors) {
  const width = Math.max(280, Math.floor(view.plotBox.clientWidth));
  view.shown = view.draw(rows, colors, width);
  keepFocus(view.controlBox, () => view.controlBox.replaceChildren(...view.controls()));
  view.svgButton.disabled = view.csvButton.disabled = !view.shown.plot;
  view.caption.textContent = view.shown.caption;
  if (!view.shown.plot) {
    view.plotBox.replaceChildren(element("p", { class: "empty" }, "Nothing to show."));
    return;
  }
  makeReachable(view.shown.plot, `${view.shown.alt} The table below has the runs.`);
  view.plotBox.replaceChildren(view.shown.plot, view.scaled ? swatches(view.shown.colors) : "");
}

/* Names of marks are no labels: to a screen reader a figure is one image, whose runs are in tables. */
function nameMarks(svg) {
  svg.querySelectorAll("g[aria-label]").forEach((g) => {
    g.dataset.mark = g.getAttribute("aria-label");
    g.removeAttribute("aria-label");
  });
}

/* An image with a name; pointing at it shows a run, a click chooses it. */
function makeReachable(svg, name) {
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  nameMarks(svg);
  svg.addEventListener("input", () => { /* a tip is drawn anew each time */
    nameMarks(svg);
    if (svg.value?.row !== undefined) lookAt(svg.value.row);
  });
  svg.addEventListener("click", () => { if (svg.value?.row !== undefined) choose(svg.value.row); });
}

/* Controls are made anew; the one that had the focus has it again. */
function keepFocus(box, remake) {
  const focusable = () => [...box.querySelectorAll("select, input, button")];
  const at = focusable().indexOf(document.activeElement);
  remake();
  if (at >= 0) focusable()[at]?.focus();
}

/* ---- downloads ---- */

function download(name, type, text) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function csvOf([head, rows]) {
  const cell = (x) => {
    const text = typeof x === "number" ? (Number.isFinite(x) ? String(x) : "") : String(x ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function downloadCsv(name, table) {
  download(`${name}.csv`, "text/csv", csvOf(table));
}

const svgElement = (name, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

/* Swatches under the figure, as many beside each other as there is room for. */
function addSvgLegend(svg, colors, width, top) {
  let x = 8, y = top + 14;
  if (!colors?.column) return top;
  const entries = [[`${withUnits(colors.column)}:`, null], ...swatchList(colors)];
  for (const [word, color] of entries) {
    const room = 7 * word.length + 26;
    if (x > 8 && x + room > width) [x, y] = [8, y + 18];
    if (color) svg.append(svgElement("rect", { x, y: y - 10, width: 11, height: 11, fill: color }));
    svg.append(svgElement("text", { x: x + (color ? 16 : 0), y, fill: "currentColor", "text-anchor": "start" }, word));
    x += room;
  }
  return y + 10;
}

/* A file by itself: its own colors and font, the legend within; no tips. */
function svgText(view) {
  const svg = view.shown.plot.cloneNode(true);
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
  svg.querySelectorAll("[data-mark=tip]").forEach((tip) => tip.remove());
  const bottom = addSvgLegend(svg, view.shown.colors, width, height);
  svg.setAttribute("height", bottom);
  svg.setAttribute("viewBox", `0 0 ${width} ${bottom}`);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("style", "background: white; color: black; font-family: sans-serif");
  svg.prepend(svgElement("title", {}, view.shown.alt));
  return new XMLSerializer().serializeToString(svg);
}

function downloadSvg(view) {
  download(`${view.id}.svg`, "image/svg+xml", svgText(view));
}
