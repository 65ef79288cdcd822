/* The scoreboard, and one law with its groups. */

const verdictClass = (verdict) =>
  verdict.startsWith("holds") ? "good" : verdict === "undecided" ? "fair" : "bad";
const verdictMark = (verdict) =>
  verdict.startsWith("holds") ? "\u2713" : verdict === "undecided" ? "?" : "\u2717";

function boardRow(law) {
  const open = button(law.name, () => openLaw(law.name), { class: "plain", "aria-expanded": String(state.law === law.name), "aria-controls": "law" });
  const cell = (key, kind = "") => element("td", { class: kind }, law.board[key]);
  return element("tr", { class: state.law === law.name ? "chosen" : null },
    element("th", { scope: "row" }, open), cell("claim", "wide"), cell("meet it", "number"), cell("value", "number wide"),
    cell("prediction", "number wide"),
    element("td", { class: `verdict ${verdictClass(law.verdict)}` },
            element("span", { "aria-hidden": "true" }, `${verdictMark(law.verdict)} `), law.board.verdict),
    cell("controls", "wide"));
}

function drawBoard() {
  const host = document.getElementById("board-table");
  if (data.laws.length === 0) {
    host.replaceChildren(element("p", { class: "empty" }, "No law speaks of these runs."));
    return;
  }
  const head = [["law", ""], ["claim", "wide"], ["meet it", "number"], ["value", "number wide"], ["prediction", "number wide"],
                ["verdict", ""], ["controls", "wide"]];
  const rows = d3.groups(data.laws, (law) => law.strand).flatMap(([strand, laws]) => [
    element("tr", {}, element("th", { class: "strand", scope: "colgroup", colspan: "7" }, strand)), ...laws.map(boardRow)]);
  const table = element("table", {}, element("thead", {}, element("tr", {},
    ...head.map(([text, kind]) => element("th", { scope: "col", class: kind }, text)))), element("tbody", {}, ...rows));
  keepFocus(host, () => host.replaceChildren(scrolling(table, "Scoreboard of laws"),
    element("div", { class: "controls" }, button("Scoreboard as CSV", () => downloadCsv("scoreboard", boardTable())))));
}

function boardTable() {
  const head = Object.keys(data.laws[0].board);
  return [head, data.laws.map((law) => head.map((key) => law.board[key]))];
}

const scrolling = (table, label, kind = "scroll") =>
  element("div", { class: kind, role: "region", "aria-label": label, tabindex: "0" }, table);

function openLaw(name) {
  change({ law: state.law === name ? "" : name, group: "" });
  afterDraw = () => {
    const panel = document.getElementById("law");
    if (panel.hidden) return;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  };
}

/* ---- one law ---- */

function lawFacts(law) {
  const facts = [["Claim", law.claim], ["Formula", law.formula], ["Measured", law.quantity], ["Speaks of", law.who],
                 ["Meets it", law.meets], ["Margin", law.because], ["Source", law.citation]];
  return element("dl", {}, ...facts.filter(([, text]) => text)
    .flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

/* Values that meet the claim, as far as the axis goes; none of sameness. */
function claimBand(law, [low, high]) {
  const within = { "equal": [law.target - law.margin, law.target + law.margin], "at most": [low, law.target],
                   "at least": [law.target, high], "exact": [low, law.margin] }[law.kind];
  return within ? [{ x1: Math.max(low, within[0]), x2: Math.min(high, within[1]) }].filter((b) => b.x1 < b.x2) : [];
}

const groupState = (g) => (g.control ? `control, ${g.control}: ${g.meets}` : g.exception ? "no: an exception" : g.meets || g.why);
const groupColor = (g) => (g.control ? palette[3] : g.meets === "yes" ? palette[2] : g.meets === "no" ? palette[1] : other);

function forest(law, width) {
  const groups = d3.sort(law.groups.filter((g) => g.place !== null), (g) => (g.control ? 1 : 0), (g) => g.place);
  if (groups.length === 0) return null;
  const places = groups.map((g) => g.place);
  const axis = axisOf([...places, ...claimEnds(law)], law.kind === "exact" && places.every((x) => x > 0));
  const points = groups.map((g, i) => ({ ...g, i, row: g.rows[0],
    title: [g.name, groupState(g), `value ${show(g.value)} [${show(g.low)}, ${show(g.high)}]`, `${g.rows.length} runs`].join("\n") }));
  const each = groups.length > 80 ? 4 : 9;
  return Plot.plot({
    ...frame(width, 66 + Math.max(40, each * groups.length)), marginLeft: 16,
    x: axisOptions(axis, law.kind === "exact" ? "relative error" : law.quantity, width), y: { axis: null, domain: [-1, groups.length], reverse: true },
    marks: [
      Plot.rect(claimBand(law, axis.domain), { x1: "x1", x2: "x2", y1: -1, y2: groups.length, fill: palette[2], fillOpacity: 0.13 }),
      Plot.ruleY(points.filter((g) => g.from !== null && g.to !== null && g.from < g.to),
                 { y: "i", x1: "from", x2: "to", stroke: groupColor, strokeWidth: 1.3 }),
      Plot.dot(points, { x: "place", y: "i", fill: groupColor, r: each > 4 ? 3.2 : 2, symbol: (g) => (g.control ? "diamond" : "circle") }),
      tip(points, { x: "place", y: "i" }),
    ],
  });
}

const claimEnds = (law) =>
  ({ "equal": [law.target - law.margin, law.target + law.margin], "at most": [law.target], "at least": [law.target],
     "exact": [law.margin], "same": [] })[law.kind];

function groupRow(law, g, i, why) {
  const only = button(g.name || "all of them", () => change({ group: state.group === String(i) ? "" : String(i) }),
                      { class: "plain", "aria-pressed": String(state.group === String(i)) });
  const interval = g.low !== null && g.high !== null && g.low < g.high ? `[${show(g.low)}, ${show(g.high)}]` : "";
  const kind = g.control ? "" : g.meets === "yes" ? "good" : g.meets === "no" ? "bad" : "fair";
  return element("tr", { class: state.group === String(i) ? "chosen" : null },
    element("th", { scope: "row" }, only), element("td", { class: "number" }, String(g.rows.length)),
    element("td", { class: "number" }, show(g.value)), element("td", { class: "number" }, interval),
    element("td", { class: "number" }, show(g.predicted)), element("td", { class: kind }, groupState(g)),
    why ? element("td", {}, g.why) : null);
}

/* Exceptions first, then what does not meet it, controls last. */
function groupTable(law) {
  const rank = (g) => (g.control ? 4 : g.exception ? 0 : g.meets === "no" ? 1 : g.meets === "unclear" ? 2 : 3);
  const order = d3.sort(law.groups.map((g, i) => i), (i) => rank(law.groups[i]));
  const head = ["group (shows its runs alone)", "runs", "value", "95%", "predicted or bound", "meets it"];
  const why = law.groups.some((g) => g.why && groupState(g) !== g.why);
  if (why) head.push("why no value");
  return element("table", {}, element("thead", {}, element("tr", {}, ...head.map((text, k) =>
    element("th", { scope: "col", class: k > 0 && k < 5 ? "number" : null }, text)))),
    element("tbody", {}, ...order.map((i) => groupRow(law, law.groups[i], i, why))));
}

function lawTable(law) {
  return [["group", "runs", "value", "low", "high", "predicted", "meets", "exception", "control", "why"],
          law.groups.map((g) => [g.name, g.rows.map((row) => data.ids[row]).join(";"), g.value, g.low, g.high, g.predicted, g.meets,
                                 String(g.exception), g.control, g.why])];
}

function lawButtons(law, view) {
  const name = `${law.name}: meets it`, words = columns.get(name).words;
  const only = (some) => setWords(name, new Set(words.filter(some)));
  const exceptions = words.includes("exception");
  return element("div", { class: "controls" },
    button("Show only its runs", () => only(() => true)),
    exceptions ? button("Show only exceptions", () => only((w) => w === "exception")) : null,
    button("Color by it", () => change({ color: name })),
    button("Close", () => openLaw(law.name)),
    view.shown.plot ? button("Forest as SVG", () => downloadSvg(view)) : null,
    button("Groups as CSV", () => downloadCsv(law.name, lawTable(law))));
}

function drawLaw() {
  const panel = document.getElementById("law"), law = lawOf(state.law);
  panel.hidden = !law;
  if (!law) return;
  const plotBox = element("div", { class: "plot" });
  const view = { id: law.name, shown: { plot: null, alt: `Groups of ${law.name}: value, 95% interval, and what meets the claim.` } };
  panel.setAttribute("aria-label", law.name);
  view.shown.plot = forest(law, Math.max(280, panel.clientWidth - 34));
  keepFocus(panel, () => panel.replaceChildren(
    element("h3", {}, `${law.name}: `, element("span", { class: verdictClass(law.verdict) }, law.board.verdict)),
    lawFacts(law), element("p", {}, law.says), law.details ? element("p", {}, law.details) : "", lawButtons(law, view), plotBox,
    element("p", { class: "caption" }, "Green: what meets the claim; points: groups by value with 95% intervals, controls (diamonds) below."),
    scrolling(groupTable(law), `Groups of ${law.name}`, "scroll tall")));
  if (!view.shown.plot) return;
  makeReachable(view.shown.plot, view.shown.alt);
  plotBox.append(view.shown.plot);
}
