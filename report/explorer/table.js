/* The runs shown, as a table; and the one run that is looked at. */

const PAGE = 25;

/* Numbers to look at first that most runs have: names say already what a system is. */
function defaultColumns() {
  const known = (c) => d3.sum(allRows, (row) => Number.isFinite(c.number(row)));
  const heads = [...columns.values()].filter((c) => c.headline && c.varies && !["samples", "classes", "steps-done"].includes(c.name));
  return ["status", ...columnNames(d3.sort(heads, (c) => -known(c)).slice(0, 7))];
}

function tableColumns() {
  const chosen = state.columns ?? [...new Set([...defaultColumns(), state.color, state.x, state.y].filter((n) => columns.has(n) && n !== "seed"))];
  return chosen.map((name) => columns.get(name));
}

/* By number, or by word; rows without one last, whichever way. */
function sortedRows(rows) {
  const down = state.sort.startsWith("-"), name = down ? state.sort.slice(1) : state.sort, column = columns.get(name);
  if (!column && name !== "system") return rows;
  const key = !column ? systemOf : column.numeric ? column.number : column.word;
  const [none, some] = [[], []];
  rows.forEach((row) => (key(row) === "" || Number.isNaN(key(row)) ? none : some).push(row));
  const order = (a, b) => (typeof key(a) === "number" ? key(a) - key(b) : compareWords(key(a), key(b)));
  return [...some.sort((a, b) => (down ? order(b, a) : order(a, b))), ...none];
}

function headCell(name, label, kind) {
  const order = state.sort === name ? "ascending" : state.sort === `-${name}` ? "descending" : "none";
  const next = order === "ascending" ? `-${name}` : order === "descending" ? "" : name;
  const mark = order === "ascending" ? " \u25b2" : order === "descending" ? " \u25bc" : "";
  return element("th", { scope: "col", class: kind, "aria-sort": order },
    element("button", { type: "button", onclick: () => change({ sort: next }), title: columns.get(name)?.meaning }, label,
            element("span", { "aria-hidden": "true" }, mark)));
}

function runRow(row, shown) {
  const cells = shown.map((c) => element("td", { class: c.numeric ? "number" : null }, c.words ? c.word(row) : show(c.number(row))));
  const name = button(systemOf(row), () => choose(row), { class: "plain", onfocus: () => lookAt(row), "aria-pressed": String(state.run === data.ids[row]) });
  return element("tr", { class: state.run === data.ids[row] ? "chosen" : null, onmouseenter: () => lookAt(row) },
    element("th", { scope: "row" }, name), element("td", { class: "number" }, seedOf(row)), ...cells);
}

function columnChooser(shown) {
  const names = new Set(columnNames(shown));
  const toggle = (name, on) => change({ columns: on ? [...names, name] : [...names].filter((n) => n !== name), page: state.page });
  return element("fieldset", {}, element("legend", {}, "Columns"), element("div", { class: "choices" },
    ...[...columns.values()].filter((c) => c.varies || names.has(c.name)).map((c) => element("label", { class: "tick", title: c.meaning },
      element("input", { type: "checkbox", checked: names.has(c.name), onchange: (e) => toggle(c.name, e.target.checked) }), c.name))));
}

/* All that is shown, and what repeats it. */
function runsTable(rows, shown) {
  return [["run", "system", "seed", ...columnNames(shown).filter((n) => n !== "seed"), "command"],
          rows.map((row) => [data.ids[row], systemOf(row), seedOf(row),
                             ...shown.filter((c) => c.name !== "seed").map((c) => (c.words ? c.word(row) : c.number(row))), commandOf(row)])];
}

let chooserOpen = false;
function drawTable(rows) {
  const section = document.getElementById("table"), shown = tableColumns(), sorted = sortedRows(rows);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE)), page = Math.min(state.page, pages - 1);
  const table = element("table", {}, element("thead", {}, element("tr", {}, headCell("system", "system"), headCell("seed", "seed", "number"),
    ...shown.map((c) => headCell(c.name, withUnits(c), c.numeric ? "number" : null)))),
    element("tbody", {}, ...sorted.slice(page * PAGE, (page + 1) * PAGE).map((row) => runRow(row, shown))));
  const turn = (by) => { Object.assign(state, { page: page + by }); drawTable(rows); };
  let host = section.querySelector(".all");
  if (!host) section.append(host = element("div", { class: "all" }));
  keepFocus(host, () => host.replaceChildren(
    element("div", { class: "controls" },
      button("Previous", () => turn(-1), { disabled: page === 0 }), button("Next", () => turn(1), { disabled: page === pages - 1 }),
      element("span", { role: "status" }, `page ${page + 1} of ${pages}`),
      button("Columns", () => { chooserOpen = !chooserOpen; drawTable(rows); }, { "aria-expanded": String(chooserOpen) }),
      button("CSV", () => downloadCsv("runs", runsTable(sorted, shown)), { "aria-label": "Download the runs shown as CSV" })),
    chooserOpen ? columnChooser(shown) : "",
    scrolling(table, "Table of runs")));
}

/* ---- one run ---- */

let lookedAt = null, runOpen = false;

function lookAt(row) {
  if (row === undefined || row === lookedAt) return;
  lookedAt = row;
  drawRun();
}

function choose(row) {
  lookedAt = row;
  change({ run: state.run === data.ids[row] ? "" : data.ids[row], page: state.page });
}

async function copyCommand(said) {
  const text = commandOf(lookedAt);
  try {
    await navigator.clipboard.writeText(text);
  } catch { /* a page from a file may not: the old way */
    const area = element("textarea", {}, text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  said.textContent = "copied";
}

function runFacts(row) {
  const facts = [...columns.values()].map((c) => [withUnits(c), c.words ? c.word(row) : show(c.number(row))]).filter(([, text]) => text !== "");
  return element("dl", {}, ...facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

function drawRun() {
  const host = document.getElementById("run");
  document.body.classList.toggle("run", lookedAt !== null);
  if (lookedAt === null) {
    host.replaceChildren(element("p", {}, "Point at a run, or choose one in the table: its name and the command that repeats it stand here."));
    return;
  }
  const row = lookedAt, status = columns.get("status").word(row), said = element("span", { role: "status" });
  host.classList.toggle("open", runOpen);
  keepFocus(host, () => host.replaceChildren(
    element("div", { class: "line" },
      element("span", { class: "name" }, element("strong", {}, systemOf(row)), ` seed ${seedOf(row)}, run ${data.ids[row]}, ${status}`),
      said, button("Copy command", () => copyCommand(said)),
      button(runOpen ? "Less" : "More", () => { runOpen = !runOpen; drawRun(); }, { "aria-expanded": String(runOpen) })),
    element("code", { tabindex: "0", role: "textbox", "aria-readonly": "true", "aria-label": "Command that repeats the run" }, commandOf(row)),
    runOpen ? element("div", { class: "all" }, runFacts(row)) : ""));
}
