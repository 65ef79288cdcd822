/* Puts the page together and draws it again when its state changes. */

const themes = ["", "light", "dark"];
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function applyTheme(printing) {
  const dark = !printing && (state.theme === "dark" || (state.theme === "" && systemDark.matches));
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = `Theme: ${state.theme || "as the system's"}`;
}

/* A series, columns and axes that most runs have. */
function setDefaults() {
  const has = (name) => columns.has(name) && columns.get(name).varies && columns.get(name).hasNumbers;
  const numbers = columnNames(numberColumns()), axes = columnNames(axisColumns());
  const first = (list, fallback) => list.find(has) ?? fallback ?? "";
  const known = (name) => d3.sum(allRows, (row) => Number.isFinite(columns.get(name).number(row)));
  const measured = d3.sort(numbers.filter((n) => columns.get(n).headline), (n) => -known(n));
  const value = measured.find((n) => n.startsWith("final-")) ?? measured[0] ?? numbers[0];
  const some = (names, but) => names.find((n) => axes.includes(n) && n !== but) ?? axes.find((n) => n !== but) ?? "";
  const down = some(["model", "model.width", "loss"]);
  Object.assign(defaults, {
    color: defaultColor(), series: seriesNames.includes("loss") ? "loss" : seriesNames[0] ?? "",
    spectrum: spectraNames.find((n) => n.startsWith("hessian")) ?? spectraNames[0] ?? "", at: "last",
    x: first(["initial-sharpness", "lr"], numbers[0]), y: first(["final-sharpness", "final-loss"], value ?? numbers[1]),
    across: some(["optimizer", "dataset"], down), down, value: value ?? "", cell: "median", lograw: false,
  });
}

function drawHead() {
  const name = data.store.split("/").filter(Boolean).pop() ?? "";
  document.title = `unibench: ${name}`;
  document.getElementById("title").textContent = `unibench: ${name}`;
  document.getElementById("subtitle").textContent = [`${counted(data.ids.length, "run")} of ${counted(data.systems.names.length, "system")}`,
    counted(data.laws.length, "law"), data.date.slice(0, 10), `unibench ${data.unibench}`, data.commit.slice(0, 12)].filter(Boolean).join(" \u00b7 ");
  const notice = document.getElementById("notice");
  notice.textContent = data.notice;
  notice.hidden = !data.notice;
  const parts = [["board", "Laws"], ["runs", "Filters"], ["series", "Over time"], ["scatter", "Scatter"], ["phase", "Phase diagram"],
                 ["spectra", "Spectra"], ["table", "Table"]];
  document.querySelectorAll(".view").forEach((section) => { section.hidden = !views.some((view) => view.id === section.id); });
  document.getElementById("parts").append(...parts.filter(([id]) => !document.getElementById(id).hidden).map(([id, text]) =>
    button(text, () => document.getElementById(id).scrollIntoView())));
  document.getElementById("how").textContent = "Made by unibench report. The address has the view: copy it to share. Numbers have 7 digits, " +
    "points of series and spectra 4; runs.csv, beside this page, has all.";
  document.getElementById("licenses").textContent = document.getElementById("licenses-text").textContent;
  document.getElementById("theme").addEventListener("click", () => {
    change({ theme: themes[(themes.indexOf(state.theme) + 1) % themes.length] });
  });
}

function draw() {
  const rows = shownRows(), colors = colorsNow();
  applyTheme(false);
  drawBoard();
  drawLaw();
  drawFilters();
  drawChips();
  document.getElementById("shown").textContent = `${rows.length} of ${counted(allRows.length, "run")} shown.`;
  drawLegend(colors);
  views.forEach((view) => renderView(view, rows, colors));
  drawTable(rows);
  drawRun();
  const then = afterDraw;
  afterDraw = null;
  then?.();
}

let asked = 0;
renderAll = () => {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(draw);
};

function start() {
  setDefaults();
  readAddress();
  lookedAt = state.run ? data.ids.indexOf(state.run) : null;
  if (lookedAt === -1) lookedAt = null;
  drawHead();
  views.forEach(makeView);
  draw();
  addEventListener("hashchange", () => { readAddress(); renderAll(); });
  systemDark.addEventListener("change", renderAll);
  addEventListener("beforeprint", () => applyTheme(true));
  addEventListener("afterprint", () => applyTheme(false));
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; renderAll(); } });
}

start();
