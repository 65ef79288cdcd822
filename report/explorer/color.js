/* Colors of runs by a column. A word has one color in the whole page, whatever is shown. */

/* Okabe and Ito 2008, as in the report's figures; black is the page's ink. */
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "currentColor", "#b8a800"];
const other = "#888888";

/* The column that tells runs apart best with few colors. */
function defaultColor() {
  const few = (name) => columns.has(name) && columns.get(name).varies &&
    columns.get(name).words.length <= palette.length;
  return ["model", "optimizer", "dataset", "loss", "model.width", "status"].find(few) ?? "";
}

/* The words that have a color: all, or the most frequent. */
function coloredWords(column) {
  if (column.words.length <= palette.length) return column.words;
  const count = d3.rollup(allRows, (rows) => rows.length, column.word);
  return d3.sort(column.words, (w) => -count.get(w)).slice(0, palette.length - 1).sort(compareWords);
}

function numberColors(column) {
  const values = allRows.map(column.number).filter(Number.isFinite);
  const [low, high] = robustExtent(values);
  const log = low > 0 && high > 20 * low;
  const scale = (log ? d3.scaleSequentialLog : d3.scaleSequential)([low, high], d3.interpolateViridis).clamp(true);
  return {
    column, numbers: true, low, high, log,
    of: (row) => (Number.isFinite(column.number(row)) ? scale(column.number(row)) : other),
  };
}

function wordColors(column) {
  const words = coloredWords(column);
  const color = new Map(words.map((word, i) => [word, palette[i]]));
  return { column, words, of: (row) => color.get(column.word(row)) ?? other,
           swatches: words.map((word, i) => [word, palette[i]]),
           hasOther: words.length < column.words.length };
}

/* {of(row): a color, column, ...}. Numbers of many values have a scale, words have swatches. */
function colorsNow() {
  const column = columns.get(state.color);
  if (!column) return { of: () => palette[0] };
  const scaled = !column.words || (column.numeric && column.words.length > palette.length);
  return scaled && column.hasNumbers ? numberColors(column) : column.words ? wordColors(column) : { of: () => other };
}

function swatchList(colors) {
  if (!colors.column) return [];
  if (colors.numbers)
    return [0, 0.25, 0.5, 0.75, 1].map((t) => {
      const x = colors.log ? colors.low * (colors.high / colors.low) ** t : colors.low + (colors.high - colors.low) * t;
      return [showTick(Number(x.toPrecision(2))), d3.interpolateViridis(t)];
    });
  return colors.hasOther ? [...colors.swatches, ["other", other]] : colors.swatches;
}

/* The column's name, then what each color stands for. */
function swatches(colors) {
  const list = swatchList(colors).map(([word, color]) => {
    const swatch = element("i", { class: "swatch" });
    swatch.style.background = color;
    return element("span", {}, swatch, word);
  });
  return element("div", { class: "swatches" }, colors.column ? element("strong", {}, withUnits(colors.column)) : "", ...list);
}

function drawLegend(colors) {
  document.getElementById("legend").replaceChildren(swatches(colors));
}
