"use strict";
/* The page's data: each run is a row 0, 1, ...; a column says of a row its word and its number,
 * whatever it was stored as (explorer.h says how). */

const data = JSON.parse(document.getElementById("data").textContent);
const allRows = d3.range(data.ids.length);
const columns = new Map();

/* Numbers by value and before other words. */
function compareWords(a, b) {
  const x = a === "" ? NaN : Number(a), y = b === "" ? NaN : Number(b);
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return x - y || (a < b ? -1 : a > b ? 1 : 0);
}

function storedNumbers(column) {
  const number = new Float64Array(allRows.length).fill(NaN);
  column.number.forEach((x, i) => { number[column.rows ? column.rows[i] : i] = x ?? NaN; });
  return (row) => number[row];
}

function storedWords(column) {
  const level = Array.isArray(column.level) ? (row) => column.level[row] : () => column.level;
  return (row) => column.words[level(row)] ?? "";
}

/* {name, meaning, units, axis, headline; word(row), number(row); words: distinct ones, null of
 * columns of numbers alone; numeric: all words are numbers; varies}. */
function addColumn(column) {
  const word = column.words ? storedWords(column) : null;
  const number = column.number ? storedNumbers(column)
    : (row) => (word(row) === "" ? NaN : Number(word(row)));
  const words = word ? [...new Set(allRows.map(word))].filter((w) => w !== "").sort(compareWords) : null;
  const numeric = words ? words.length > 0 && words.every((w) => !Number.isNaN(Number(w))) : true;
  const distinct = words ? new Set(allRows.map(word)) : new Set(allRows.map(number));
  columns.set(column.name, {
    ...column, number, words, numeric, varies: distinct.size > 1,
    hasNumbers: allRows.some((row) => Number.isFinite(number(row))),
    word: word ?? ((row) => show(number(row))),
  });
}

/* What a law says of the group that a run is in. */
function addLawColumns(law) {
  const group = new Map();
  law.groups.forEach((g) => g.rows.forEach((row) => group.set(row, g)));
  const words = [], level = allRows.map((row) => {
    const g = group.get(row);
    if (!g) return -1;
    const word = g.control ? `control: ${g.meets}` : g.exception ? "exception" : g.meets || "no value";
    if (!words.includes(word)) words.push(word);
    return words.indexOf(word);
  });
  law.groupOf = (row) => group.get(row);
  addColumn({ name: `${law.name}: meets it`, law: law.name, words, level, units: "",
              meaning: `whether the run's group meets the law ${law.name}` });
  addColumn({ name: `${law.name}: value`, law: law.name, units: "", meaning: law.quantity ?? "",
              number: allRows.map((row) => group.get(row)?.value ?? NaN) });
}

data.columns.forEach(addColumn);
addColumn({ name: "diverged", units: "1", meaning: "1 of runs that diverged, else 0: its mean is their share",
            number: allRows.map((row) => (columns.get("status").word(row) === "diverged" ? 1 : 0)) });
data.laws.forEach(addLawColumns);

const systemOf = (row) => data.systems.names[data.systems.of[row]];
const commandOf = (row) => data.commands.of[row].map((part) => data.commands.parts[part]).join(" --");
const seedOf = (row) => columns.get("seed")?.word(row) ?? "";
const lawOf = (name) => data.laws.find((law) => law.name === name);
const withUnits = (column) =>
  column.units && column.units !== "1" ? `${column.name} (${column.units})` : column.name;

const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

/* Four significant digits. */
function show(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "";
  if (Number.isInteger(x) && Math.abs(x) < 1e7) return String(x);
  return String(Number(x.toPrecision(4)));
}
