/* Filters and colors: any column, words by ticking, numbers by their ends. */

let openColumn = ""; /* whose filter is being set */

const MOST_CHOICES = 400;

function filterColumns() {
  return [...columns.values()].filter((c) => c.varies && (c.words ? c.words.length <= MOST_CHOICES : true));
}

function wordChoices(column) {
  const count = d3.rollup(allRows, (rows) => rows.length, column.word);
  const chosen = state.words.get(column.name);
  const toggle = (word, on) => {
    const words = new Set(state.words.get(column.name) ?? []);
    if (on) words.add(word);
    else words.delete(word);
    setWords(column.name, words);
  };
  const list = [...column.words, ...(count.has("") ? [""] : [])];
  return list.map((word) => element("label", { class: "tick" },
    element("input", { type: "checkbox", value: word, checked: chosen?.has(word) ?? false, onchange: (e) => toggle(word, e.target.checked) }),
    `${word === "" ? "(none)" : word} (${count.get(word)})`));
}

function numberEnds(column) {
  const [low, high] = state.range.get(column.name) ?? [NaN, NaN];
  const extent = d3.extent(allRows.map(column.number).filter(Number.isFinite));
  const read = (input) => (input.value === "" ? NaN : Number(input.value));
  const end = (label, value, hint) => {
    const input = element("input", { type: "number", step: "any", value: Number.isNaN(value) ? null : String(value), placeholder: show(hint) });
    return [element("label", {}, label, input), input];
  };
  const [lowLabel, lowInput] = end("at least", low, extent[0]), [highLabel, highInput] = end("at most", high, extent[1]);
  const set = () => setRange(column.name, read(lowInput), read(highInput));
  lowInput.addEventListener("change", set);
  highInput.addEventListener("change", set);
  return [lowLabel, highLabel];
}

function filterBox() {
  const column = columns.get(openColumn);
  if (!column) return null;
  const words = column.words && column.words.length <= MOST_CHOICES;
  const content = words ? element("div", { class: "choices" }, ...wordChoices(column)) : element("div", { class: "controls" }, ...numberEnds(column));
  const ends = words && column.numeric && column.words.length > 2 ? element("div", { class: "controls" }, ...numberEnds(column)) : null;
  return element("fieldset", {}, element("legend", {}, `${withUnits(column)}${column.meaning ? `: ${column.meaning}` : ""}`), content, ends);
}

let findTimer = 0;
function findBox() {
  const input = element("input", { type: "search", value: state.find, placeholder: "name, id, command", oninput: (e) => {
    clearTimeout(findTimer);
    findTimer = setTimeout(() => change({ find: e.target.value }), 200);
  } });
  return element("label", {}, "Find", input);
}

/* The box to type in stays, or what is typed would be lost. */
let finding = null;
function drawFilters() {
  const host = document.getElementById("filters");
  finding ??= findBox();
  const input = finding.querySelector("input");
  if (document.activeElement !== input) input.value = state.find;
  const names = columnNames(filterColumns());
  const rest = document.getElementById("filter-rest") ?? element("div", { id: "filter-rest", class: "controls" });
  if (!host.contains(finding)) host.append(finding, rest);
  keepFocus(rest, () => rest.replaceChildren(
    picker("Color by", columnNames([...columns.values()].filter((c) => c.varies)), state.color, (color) => change({ color }), "nothing"),
    picker("Filter by", names, openColumn, (name) => { openColumn = name; renderAll(); }, "choose a column"),
    ...[filterBox()].filter(Boolean)));
}

/* ---- filters in force ---- */

function rangeText(name, [low, high]) {
  if (Number.isNaN(low)) return `${name} \u2264 ${high}`;
  return Number.isNaN(high) ? `${name} \u2265 ${low}` : `${low} \u2264 ${name} \u2264 ${high}`;
}

function drawChips() {
  const chips = [];
  const add = (text, remove) => chips.push(element("li", {}, button(`${text} \u00d7`, remove, { "aria-label": `Remove filter: ${text}` })));
  if (state.find) add(`find "${state.find}"`, () => { finding.querySelector("input").value = ""; change({ find: "" }); });
  state.words.forEach((words, name) =>
    add(`${name}: ${[...words].map((w) => w || "(none)").join(" or ")}`, () => setWords(name, null)));
  state.range.forEach((range, name) => add(rangeText(name, range), () => setRange(name, NaN, NaN)));
  if (state.group !== "" && lawOf(state.law)) add(`a group of ${state.law}: ${lawOf(state.law).groups[Number(state.group)]?.name}`, () => change({ group: "" }));
  if (chips.length > 1) chips.push(element("li", {}, button("Remove all", () => {
    finding.querySelector("input").value = "";
    change({ find: "", words: new Map(), range: new Map(), group: "" });
  })));
  document.getElementById("chips").replaceChildren(...chips);
}
