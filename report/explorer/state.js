/* What is looked at. It is in the address, so that a view can be shared: defaults are left out.
 *     law, group                  the open law; the group of it that alone is shown
 *     find                        text that a system's name, id or command has
 *     words, range                filters by column: a Set of words; [low, high]
 *     color, series, x, y, ...    what the views show
 *     run                         the id of the run that is looked at */
const plain = ["law", "group", "find", "color", "series", "draw", "x", "y", "across", "down", "value", "cell", "spectrum", "at",
               "run", "sort", "theme"];
const ticks = ["logs", "logx", "logy", "logv", "lograw"];
const defaults = {};
const state = { words: new Map(), range: new Map(), page: 0 };
let renderAll = () => {}; /* soon: main.js */
let afterDraw = null;      /* what is to be done when that is done */

function resetState() {
  for (const key of [...plain, ...ticks]) state[key] = defaults[key] ?? "";
  state.words = new Map();
  state.range = new Map();
  state.columns = null;
  state.page = 0;
}

function readAddress() {
  resetState();
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const [key, text] of asked) {
    if (plain.includes(key)) state[key] = text;
    else if (ticks.includes(key)) state[key] = text === "1";
    else if (key === "columns") state.columns = text.split("|").filter((name) => columns.has(name));
    else if (key.startsWith("is.") && columns.has(key.slice(3))) {
      const name = key.slice(3);
      if (!state.words.has(name)) state.words.set(name, new Set());
      state.words.get(name).add(text);
    } else if (key.startsWith("in.") && columns.has(key.slice(3))) {
      const [low, high] = text.split("..").map((x) => (x === "" ? NaN : Number(x)));
      state.range.set(key.slice(3), [low, high]);
    }
  }
}

function addressOf() {
  const asked = new URLSearchParams();
  for (const key of plain)
    if (state[key] !== (defaults[key] ?? "")) asked.set(key, state[key]);
  for (const key of ticks)
    if (state[key] !== (defaults[key] ?? "")) asked.set(key, state[key] ? "1" : "0");
  if (state.columns) asked.set("columns", state.columns.join("|"));
  state.words.forEach((words, name) => words.forEach((word) => asked.append(`is.${name}`, word)));
  state.range.forEach(([low, high], name) =>
    asked.set(`in.${name}`, `${Number.isNaN(low) ? "" : low}..${Number.isNaN(high) ? "" : high}`));
  return `#${asked}`;
}

let addressTimer = 0;
function writeAddress() {
  clearTimeout(addressTimer); /* browsers refuse many changes in a short time */
  addressTimer = setTimeout(() => history.replaceState(null, "", addressOf()), 100);
}

function change(what) {
  Object.assign(state, what);
  if (!("page" in what)) state.page = 0;
  writeAddress();
  renderAll();
}

/* ---- filters ---- */

function passes(row) {
  for (const [name, words] of state.words)
    if (!words.has(columns.get(name).word(row))) return false;
  for (const [name, [low, high]] of state.range) {
    const x = columns.get(name).number(row);
    if (!Number.isFinite(x) || x < low || x > high) return false;
  }
  return true;
}

function shownRows() {
  const group = state.group !== "" ? lawOf(state.law)?.groups[Number(state.group)] : null;
  const find = state.find.toLowerCase();
  const found = (row) =>
    `${systemOf(row)} ${data.ids[row]} ${commandOf(row)}`.toLowerCase().includes(find);
  return allRows.filter((row) => passes(row) && (!group || group.rows.includes(row)) && (!find || found(row)));
}

function setWords(name, words) {
  const all = new Map(state.words);
  if (words && words.size) all.set(name, words);
  else all.delete(name);
  change({ words: all });
}

function setRange(name, low, high) {
  const all = new Map(state.range);
  if (Number.isNaN(low) && Number.isNaN(high)) all.delete(name);
  else all.set(name, [low, high]);
  change({ range: all });
}
