/* The four views of runs: over time, scatter, phase diagram, spectra. */

const MOST_LINES = 400; /* more are a blob, and slow */

const plotStyle = { fontSize: "12px", background: "none", overflow: "hidden" };
const frame = (width, height = 340) =>
  ({ width, height, marginLeft: 58, marginRight: 26, marginBottom: 40, marginTop: 24, style: plotStyle });

/* From so many runs on their medians say more. */
const MANY_RUNS = 500, GRID = 50;

/* Every k-th of too many. */
function sample(list, most) {
  if (list.length <= most) return list;
  return d3.range(most).map((i) => list[Math.floor((i * list.length) / most)]);
}

const sampleNote = (drawn, all, what) =>
  drawn < all ? ` ${drawn} of ${all} ${what} are drawn, evenly spaced in the list: filter to see all.` : "";

const tip = (points, channels) => Plot.tip(points, Plot.pointer({
  ...channels, title: "title", maxRadius: 30, lineWidth: 26, lineHeight: 1.2, fontSize: 12,
}));

/* Lines of several points each, one a run; that of the chosen run stands out. */
function lineMarks(points, x, y, colors) {
  const chosen = points.filter((p) => data.ids[p.row] === state.run);
  return [
    Plot.line(points, { x, y, z: "row", stroke: (p) => colors.of(p.row), strokeWidth: 1.1, strokeOpacity: 0.75 }),
    Plot.line(chosen, { x, y, z: "row", stroke: "currentColor", strokeWidth: 3 }),
    tip(points, { x, y }),
  ];
}

/* ---- over time ---- */

const seriesNames = data.series.of.map((s) => s.name).sort();
const seriesLabel = (s) => (s.indexed ? `${s.name}, index 0` : s.name);

/* {row, step, value} of each point of these runs. */
function seriesPoints(series, rows) {
  const place = new Map(series.rows.map((row, i) => [row, i]));
  return rows.flatMap((row) => {
    const i = place.get(row), steps = data.series.steps[series.steps[i]];
    return series.values[i].map((value, k) => ({ row, step: steps[k], value }));
  }).filter((p) => p.value !== null);
}

/* The value of a run between its points, straight; on a log axis straight there. */
function valueAt(points, step, log) {
  const k = d3.bisector((p) => p.step).left(points, step);
  if (k === points.length || (k === 0 && points[0].step > step)) return NaN;
  if (points[k].step === step) return points[k].value;
  const [a, b] = [points[k - 1], points[k]], t = (step - a.step) / (b.step - a.step);
  return log ? a.value * (b.value / a.value) ** t : a.value + (b.value - a.value) * t;
}

/* {word, step, low, middle, high, runs}: of the runs of each color that go on, while a tenth of them do. */
function bandsOf(points, colors, stepped, log) {
  const word = (row) => (colors.column ? (colors.words.includes(colors.column.word(row)) ? colors.column.word(row) : "other") : "all");
  const scale = (stepped.type === "log" ? d3.scaleLog : d3.scaleLinear)(stepped.domain, [0, GRID]);
  const steps = d3.range(GRID + 1).map((k) => scale.invert(k));
  return d3.groups(points, (p) => word(p.row)).flatMap(([name, some]) => {
    const lines = d3.groups(some, (p) => p.row).map(([, line]) => line);
    return steps.map((step) => {
      const values = lines.map((line) => valueAt(line, step, log)).filter(Number.isFinite);
      const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => d3.quantile(values, share));
      return { word: name, row: some[0].row, step, low, middle, high, runs: values.length, enough: 10 * values.length >= lines.length };
    }).filter((b) => b.enough);
  });
}

function bandMarks(bands, colors) {
  const color = (b) => colors.of(b.row);
  bands.forEach((b) => { b.title = `${b.word}: ${b.runs} runs at step ${show(Math.round(b.step))}\nmedian ${show(b.middle)}, 10% ${show(b.low)}, 90% ${show(b.high)}`; });
  return [
    Plot.areaY(bands, { x: "step", y1: "low", y2: "high", z: "word", fill: color, fillOpacity: 0.15 }),
    Plot.line(bands, { x: "step", y: "middle", z: "word", stroke: color, strokeWidth: 2.2 }),
    tip(bands.map(({ row, ...b }) => b), { x: "step", y: "middle" }), /* of no one run */
  ];
}

/* All steps, without room beside them. */
function stepAxis(points, log) {
  const [low, high] = d3.extent(points, (p) => p.step);
  return { domain: low === high ? [low, low + 1] : [low, high], type: log ? "log" : "linear" };
}

/* Chosen, or where there are many; colors of numbers are of runs alone. */
function isBands(runs, colors) {
  inForce.bands = !colors.numbers && (state.draw === "" ? runs > MANY_RUNS : state.draw === "bands");
  return inForce.bands;
}

const seriesView = {
  id: "series", name: "series over time",
  controls: () => [
    picker("Of traces", seriesNames, state.series, (series) => change({ series, logs: "" })),
    picker("Draw", [["runs", "each run"], ["bands", "medians by color"]], inForce.bands ? "bands" : "runs", (draw) => change({ draw })),
    tick("log values", "logs"), tick("log steps", "lograw")],
  draw(rows, colors, width) {
    const series = data.series.of.find((s) => s.name === state.series);
    if (!series) return { caption: "No run has a series." };
    const has = new Set(series.rows), having = rows.filter((row) => has.has(row));
    const bands = isBands(having.length, colors);
    const drawn = bands ? having : sample(having, MOST_LINES), points = seriesPoints(series, drawn);
    if (points.length === 0) return { caption: `None of the runs shown has ${series.name}.` };
    const isLogged = isLog("logs", points.map((p) => p.value)), log = state.lograw === true;
    const placed = points.filter((p) => (!log || p.step > 0) && (!isLogged || p.value > 0));
    if (placed.length === 0) return { caption: "No value has a place on these axes." };
    const stepped = stepAxis(placed, log), inBands = bands ? bandsOf(placed, colors, stepped, isLogged) : [];
    const y = axisOf(bands ? inBands.flatMap((b) => [b.low, b.middle, b.high]) : points.map((p) => p.value), isLogged);
    if (bands) stepped.domain[1] = d3.max(inBands, (b) => b.step);
    placed.forEach((p) => { p.title = runTitle(p.row, `step ${p.step}: ${show(p.value)}`); });
    const plot = Plot.plot({
      ...frame(width), x: axisOptions(stepped, "step", width),
      y: axisOptions(y, withUnits({ ...series, name: seriesLabel(series) }), width),
      marks: bands ? bandMarks(inBands, colors) : lineMarks(placed, "step", "value", colors),
    });
    return {
      plot, colors, alt: `${seriesLabel(series)} against step of ${drawn.length} runs.`,
      caption: `${series.meaning || series.name}.${bands ? ` Lines: medians of the runs of a color that go on, ${having.length} in all, ` +
        "while a tenth of them do; bands: from 10% to 90% of them." : ""}${sampleNote(drawn.length, having.length, "runs")}${cutNote(y)} Of longer series ` +
        `the least and greatest values of even stretches are kept, ${data.series.limit} points at most.`,
      table: bands
        ? [["color", "step", "runs", "10%", "median", "90%"], inBands.map((b) => [b.word, b.step, b.runs, b.low, b.middle, b.high])]
        : [["run", "system", "seed", "step", series.name],
           placed.map((p) => [data.ids[p.row], systemOf(p.row), seedOf(p.row), p.step, p.value])],
    };
  },
};

/* ---- scatter ---- */

const numberColumns = () => [...columns.values()].filter((c) => c.hasNumbers && c.varies);
const columnNames = (list) => list.map((c) => c.name);

const scatterView = {
  id: "scatter", name: "scatter",
  controls: () => [
    picker("Across", columnNames(numberColumns()), state.x, (x) => change({ x, logx: "" })),
    picker("Up", columnNames(numberColumns()), state.y, (y) => change({ y, logy: "" })),
    tick("log across", "logx"), tick("log up", "logy")],
  draw(rows, colors, width) {
    const [across, up] = [columns.get(state.x), columns.get(state.y)];
    if (!across || !up) return { caption: "No two columns of numbers vary." };
    const known = rows.filter((row) => Number.isFinite(across.number(row)) && Number.isFinite(up.number(row)));
    if (known.length === 0) return { caption: "None of the runs shown has both numbers." };
    const [xs, ys] = [known.map(across.number), known.map(up.number)];
    const [x, y] = [axisOf(xs, isLog("logx", xs)), axisOf(ys, isLog("logy", ys))];
    const points = known.map((row) => ({
      row, x: across.number(row), y: up.number(row),
      title: runTitle(row, `${across.name}: ${show(across.number(row))}`, `${up.name}: ${show(up.number(row))}`),
    })).filter((p) => (x.type !== "log" || p.x > 0) && (y.type !== "log" || p.y > 0));
    if (points.length === 0) return { caption: "No run has a place on these axes." };
    const plot = Plot.plot({
      ...frame(width), x: axisOptions(x, withUnits(across), width), y: axisOptions(y, withUnits(up), width),
      marks: [
        Plot.dot(points, { x: "x", y: "y", r: points.length > 1500 ? 2 : 3.2, fill: (p) => colors.of(p.row), fillOpacity: 0.7 }),
        Plot.dot(points.filter((p) => data.ids[p.row] === state.run),
                 { x: "x", y: "y", r: 7, stroke: "currentColor", strokeWidth: 2.5 }),
        tip(points, { x: "x", y: "y" }),
      ],
    });
    return {
      plot, colors, alt: `${up.name} against ${across.name} of ${points.length} runs.`,
      caption: `One point a run: ${points.length} of ${rows.length} have both numbers.${cutNote(x, y)}`,
      table: [["run", "system", "seed", across.name, up.name],
              points.map((p) => [data.ids[p.row], systemOf(p.row), seedOf(p.row), p.x, p.y])],
    };
  },
};

/* ---- phase diagram ---- */

const MOST_WORDS = 60;
const axisColumns = () =>
  [...columns.values()].filter((c) => c.words && c.varies && !c.law && c.words.length <= MOST_WORDS && c.name !== "message");

const cellNumbers = { median: d3.median, mean: d3.mean, least: d3.min, greatest: d3.max };

function phaseCells(rows, across, down, value, number) {
  const cells = d3.rollups(rows.filter((row) => across.word(row) && down.word(row)), (inside) => {
    const values = inside.map(value.number).filter(Number.isFinite);
    return { runs: inside.length, without: inside.length - values.length, number: number(values), row: inside[0] };
  }, across.word, down.word);
  return cells.flatMap(([x, list]) => list.map(([y, cell]) => ({ x, y, ...cell })));
}

function phaseMarks(cells, color, room) {
  const known = cells.filter((c) => c.number !== undefined);
  const dark = (c) => d3.lab(color(c.number)).l < 60;
  const marks = [
    Plot.cell(cells.filter((c) => c.number === undefined), { x: "x", y: "y", fill: "none", stroke: "currentColor", strokeOpacity: 0.3, inset: 0.5 }),
    Plot.cell(known, { x: "x", y: "y", fill: (c) => color(c.number), inset: 0.5 }),
  ];
  if (room > 34)
    marks.push(Plot.text(known, { x: "x", y: "y", text: (c) => String(Number(c.number.toPrecision(2))), fill: (c) => (dark(c) ? "white" : "black"), fontSize: 11 }));
  return [...marks, tip(cells, { x: "x", y: "y" })];
}

const phaseView = {
  id: "phase", name: "phase diagram", scaled: true,
  controls: () => [
    picker("Across", columnNames(axisColumns()), state.across, (across) => change({ across })),
    picker("Down", columnNames(axisColumns()), state.down, (down) => change({ down })),
    picker("Value", columnNames(numberColumns()), state.value, (value) => change({ value, logv: "" })),
    picker("Of a cell's runs", Object.keys(cellNumbers), state.cell, (cell) => change({ cell, logv: "" })),
    tick("log value", "logv")],
  draw(rows, _, width) {
    const [across, down, value] = [columns.get(state.across), columns.get(state.down), columns.get(state.value)];
    if (!across || !down || !value) return { caption: "No two axes of the runs vary." };
    const cells = phaseCells(rows, across, down, value, cellNumbers[state.cell] ?? d3.median);
    const values = cells.map((c) => c.number).filter((x) => x !== undefined);
    if (values.length === 0) return { caption: "None of the runs shown has both axes and the value." };
    const scale = axisOf(values, isLog("logv", values), 0.5);
    const color = (scale.type === "log" ? d3.scaleSequentialLog : d3.scaleSequential)(scale.domain, d3.interpolateViridis).clamp(true);
    cells.forEach((c) => {
      c.title = `${across.name}: ${c.x}\n${down.name}: ${c.y}\n${state.cell} ${value.name}: ${show(c.number) || "none"}\n` +
        `${c.runs} runs${c.without ? `, ${c.without} without a value` : ""}`;
    });
    const [xs, ys] = [across.words, down.words].map((words, i) => words.filter((w) => cells.some((c) => c[i ? "y" : "x"] === w)));
    const left = Math.min(130, 22 + 7 * d3.max(ys, (w) => short(w).length));
    const room = (width - left - 26) / xs.length, tilted = d3.max(xs, (w) => short(w, 12).length) * 7 > room;
    const bottom = tilted ? 40 + 5 * d3.max(xs, (w) => short(w, 12).length) : 40;
    const plot = Plot.plot({
      ...frame(width, Math.max(160, Math.min(420, 28 * ys.length)) + bottom + 24), marginLeft: left, marginBottom: bottom,
      x: { label: across.name, domain: xs, tickFormat: (w) => short(w, 12), tickRotate: tilted ? -45 : 0, labelOffset: bottom - 4 },
      y: { label: down.name, domain: ys, tickFormat: (w) => short(w) },
      marks: phaseMarks(cells, color, room),
    });
    const colors = { column: value, numbers: true, log: scale.type === "log", low: scale.domain[0], high: scale.domain[1] };
    return {
      plot, colors, alt: `${value.name} (${state.cell}) by ${across.name} and ${down.name}.`,
      caption: `The ${state.cell} over the runs of each cell: ${value.meaning || value.name}.` +
        `${cells.length > values.length ? " Empty frames are cells whose runs have none." : ""}${cutNote(scale)}`,
      table: [[across.name, down.name, `${state.cell} ${value.name}`, "runs", "without a value"],
              cells.map((c) => [c.x, c.y, c.number ?? NaN, c.runs, c.without])],
    };
  },
};

/* ---- spectra ---- */

const spectraNames = data.spectra.of.map((s) => s.name).sort();

/* The first or the last measurement of each run. */
function spectraPoints(spectrum, rows, last) {
  const place = new Map();
  spectrum.rows.forEach((row, i) => { if (last || !place.has(row)) place.set(row, i); });
  const having = rows.filter((row) => place.has(row)), drawn = sample(having, MOST_LINES);
  const points = drawn.flatMap((row) => {
    const i = place.get(row), ranks = data.spectra.ranks[spectrum.ranks[i]];
    return spectrum.values[i].map((value, k) => ({ row, step: spectrum.step[i], rank: ranks[k] + 1, value }));
  }).filter((p) => p.value !== null);
  return { points, drawn: drawn.length, having: having.length };
}

const spectraView = {
  id: "spectra", name: "spectra",
  controls: () => [
    picker("Spectrum", spectraNames, state.spectrum, (spectrum) => change({ spectrum })),
    picker("Measured", [["last", "last"], ["first", "first"]], state.at, (at) => change({ at }))],
  draw(rows, colors, width) {
    const spectrum = data.spectra.of.find((s) => s.name === state.spectrum);
    if (!spectrum) return { caption: "No run has a spectrum." };
    const { points, drawn, having } = spectraPoints(spectrum, rows, state.at === "last");
    if (points.length === 0) return { caption: `None of the runs shown has ${spectrum.name}.` };
    const values = points.map((p) => p.value), positive = values.filter((x) => x > 0).length > 0.5 * values.length;
    const y = axisOf(values, positive), placed = points.filter((p) => !positive || p.value > 0);
    placed.forEach((p) => { p.title = runTitle(p.row, `step ${p.step}, place ${p.rank}: ${show(p.value)}`); });
    const x = { domain: d3.extent(placed, (p) => p.rank), type: /^(rank|mode)/.test(spectrum.index) ? "log" : "linear" };
    const plot = Plot.plot({
      ...frame(width), x: axisOptions(x, `place, from 1 (index: ${spectrum.index})`, width),
      y: axisOptions(y, withUnits(spectrum), width), marks: lineMarks(placed, "rank", "value", colors),
    });
    return {
      plot, colors, alt: `${spectrum.name} over its index of ${drawn} runs.`,
      caption: `${spectrum.meaning || spectrum.name}, the ${state.at} measurement of each run.` +
        `${sampleNote(drawn, having, "runs")}${cutNote(y)}`,
      table: [["run", "system", "seed", "step", "place", spectrum.name],
              placed.map((p) => [data.ids[p.row], systemOf(p.row), seedOf(p.row), p.step, p.rank, p.value])],
    };
  },
};

/* Those that the store has anything for. */
const views = [
  [seriesView, seriesNames.length > 0], [scatterView, numberColumns().length > 1], [phaseView, axisColumns().length > 1],
  [spectraView, spectraNames.length > 0],
].filter(([, any]) => any).map(([view]) => view);
