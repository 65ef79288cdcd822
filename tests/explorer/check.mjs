/* Drives the page to explore as people do, at a desktop's and a phone's width, light and dark:
 *     node check.mjs REPORT WORK
 * WORK/one is a store of one run. What must be shown is counted from the tables beside the page (runs.csv, data.csv). */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [report, work] = process.argv.slice(2);
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const index = pathToFileURL(`${report}/index.html`).href;

/* ---- tables ---- */

function parseCsv(text) {
  const rows = [[]];
  let cell = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') cell += text[++i];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "," || c === "\n")) {
      rows[rows.length - 1].push(cell);
      cell = "";
      if (c === "\n") rows.push([]);
    } else cell += c;
  }
  const [head, ...body] = rows.filter((row) => row.length > 1 || row[0]);
  return body.map((row) => Object.fromEntries(head.map((name, k) => [name, row[k]])));
}

const readCsv = (name) => parseCsv(readFileSync(`${report}/${name}.csv`, "utf8"));
const runs = readCsv("runs"), laws = readCsv("laws"), groups = readCsv("data");
const sorted = (list) => [...list].sort();

/* ---- pages ---- */

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const faults = [];

async function open(url, { width = 1280, theme = "light" } = {}) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: theme });
  page.setDefaultTimeout(20000);
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) faults.push(`${m.type()}: ${m.text()}`); });
  page.on("pageerror", (e) => faults.push(e.stack));
  page.on("request", (r) => { if (!/^(file|blob|data):/.test(r.url())) faults.push(`asks for ${r.url()}`); });
  await page.goto(url);
  return page;
}

/* What was changed is drawn, and in the address. */
const settle = (page) => page.waitForTimeout(350);

async function checkWidth(page, what) {
  const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needed <= there, `${what}: ${needed} px wide in a window of ${there}`);
}

async function checkAxe(page, what) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const bad = result.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`), [], what);
  return result.passes?.length ?? 0;
}

const shownCount = async (page) => Number((await page.textContent("#shown")).match(/^(\d+) of/)[1]);

async function downloaded(page, selector) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  return readFileSync(await file.path(), "utf8");
}

async function filterWord(page, column, word) {
  await page.selectOption("#filters label:has-text('Filter by') select", column);
  await settle(page);
  await page.check(`#filters .choices input[value="${word}"]`);
  await settle(page);
}

/* ---- tests ---- */

const tests = {
  async "opens at both widths, light and dark, without a fault"() {
    for (const width of [1280, 390])
      for (const theme of ["light", "dark"]) {
        const page = await open(index, { width, theme });
        const what = `${width} px, ${theme}`;
        assert.equal(await shownCount(page), runs.length);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
        for (const view of ["series", "scatter", "phase", "spectra"])
          assert.ok(await page.locator(`#${view} svg`).count() > 0, `${what}: nothing in ${view}`);
        await checkWidth(page, what);
        await page.locator("#board-table button.plain", { hasText: /^edge-of-stability$/ }).click();
        await page.locator("#table tbody button").first().click();
        await page.click("#run button:has-text('More')");
        await page.click("#table button:has-text('Columns')");
        await page.selectOption("#filters label:has-text('Filter by') select", "optimizer");
        await settle(page);
        await checkWidth(page, `${what}, all opened`);
        await checkAxe(page, `${what}, all opened`);
        await page.close();
      }
  },

  async "filters change what is shown"() {
    const page = await open(index);
    const before = await page.locator("#scatter [data-mark=dot] circle").count();
    await filterWord(page, "optimizer", "adam");
    const adam = runs.filter((run) => run.optimizer.startsWith("adam:"));
    assert.equal(await shownCount(page), adam.length);
    const after = await page.locator("#scatter [data-mark=dot] circle").count();
    assert.ok(after > 0 && after < before, `${before} points, then ${after}`);
    assert.equal(await page.locator("#table tbody tr").count(), Math.min(25, adam.length));
    await filterWord(page, "optimizer", "gd");
    const both = runs.filter((run) => /^(adam|gd):/.test(run.optimizer));
    assert.equal(await shownCount(page), both.length);
    await page.selectOption("#filters label:has-text('Filter by') select", "final-loss");
    await settle(page);
    const losses = both.map((run) => Number(run["final-loss"] || NaN)).filter(Number.isFinite).sort((a, b) => a - b);
    const most = losses[Math.floor(losses.length / 2)] * 1.0001;
    await page.fill("#filters label:has-text('at most') input", String(most));
    await page.press("#filters label:has-text('at most') input", "Enter");
    await settle(page);
    assert.equal(await shownCount(page), losses.filter((x) => x <= most).length);
    await page.click("#chips button:has-text('Remove all')");
    await settle(page);
    assert.equal(await shownCount(page), runs.length);
    await page.fill("#filters input[type=search]", runs[3].run);
    await settle(page);
    assert.equal(await shownCount(page), 1);
    await page.close();
  },

  async "the address restores the view"() {
    const page = await open(index);
    await filterWord(page, "optimizer", "gd");
    await page.selectOption("#filters label:has-text('Color by') select", "optimizer.lr");
    await page.selectOption("#scatter label:has-text('Across') select", "lr");
    await page.selectOption("#series label:has-text('Of traces') select", "sharpness");
    await page.locator("#board-table button.plain", { hasText: /^edge-of-stability$/ }).click();
    await page.locator("#table thead button", { hasText: "lr" }).first().click();
    await page.locator("#table tbody button").nth(2).click();
    await settle(page);
    const look = (p) => p.evaluate(() => ["shown", "legend", "law", "run", "table", "series", "scatter", "phase"].map((id) =>
      document.getElementById(id).innerText + [...document.querySelectorAll(`#${id} select`)].map((s) => s.value).join()));
    const url = page.url(), seen = await look(page);
    assert.ok(url.includes("is.optimizer=gd"), url);
    const other = await open(url);
    await settle(other);
    assert.deepEqual(await look(other), seen);
    await other.evaluate(() => { location.hash = ""; });
    await settle(other);
    assert.equal(await shownCount(other), runs.length);
    await page.close();
    await other.close();
  },

  async "the table sorts by number, runs without one last"() {
    const page = await open(`${index}#columns=final-loss`);
    const known = runs.filter((run) => Number.isFinite(Number(run["final-loss"] || NaN)));
    for (const way of ["ascending", "descending"]) {
      await page.click("#table thead button:has-text('final-loss')");
      await settle(page);
      assert.equal(await page.locator(`#table th[aria-sort=${way}]`).count(), 1);
      const table = parseCsv(await downloaded(page, "#table button:has-text('CSV')"));
      const losses = table.map((row) => row["final-loss"]).filter((x) => x !== "").map(Number);
      assert.deepEqual(losses, [...losses].sort((a, b) => (way === "ascending" ? a - b : b - a)));
      assert.equal(losses.length, known.length);
      assert.ok(table.slice(known.length).every((row) => row["final-loss"] === ""));
    }
    await page.close();
  },

  async "a cell of the phase diagram is what its runs come to"() {
    const page = await open(`${index}#across=model&down=optimizer&value=diverged&cell=mean`);
    const word = (run, axis) => run[axis].split(":")[0];
    const cells = parseCsv(await downloaded(page, "#phase button:has-text('CSV')"));
    const pairs = new Set(runs.map((run) => `${word(run, "model")} ${word(run, "optimizer")}`));
    assert.equal(cells.length, pairs.size);
    for (const cell of cells) {
      const own = runs.filter((run) => word(run, "model") === cell.model && word(run, "optimizer") === cell.optimizer);
      assert.equal(Number(cell.runs), own.length);
      assert.equal(Number(cell["mean diverged"]), own.filter((run) => run.status === "diverged").length / own.length);
    }
    assert.ok(cells.some((cell) => Number(cell["mean diverged"]) > 0));
    await page.close();
  },

  async "downloads hold what is shown"() {
    const page = await open(`${index}#is.optimizer=gd`);
    const gd = runs.filter((run) => run.optimizer.startsWith("gd:"));
    const table = parseCsv(await downloaded(page, "#table button:has-text('CSV')"));
    assert.deepEqual(sorted(table.map((row) => row.run)), sorted(gd.map((run) => run.run)));
    for (const row of table) assert.equal(row.command, gd.find((run) => run.run === row.run).command);
    const points = parseCsv(await downloaded(page, "#scatter button:has-text('CSV')"));
    const svg = await downloaded(page, "#scatter button:has-text('SVG')");
    const [circles, texts, bad] = await page.evaluate((text) => {
      const file = new DOMParser().parseFromString(text, "image/svg+xml");
      return [file.querySelectorAll("[data-mark=dot] circle").length, file.documentElement.textContent, file.querySelector("parsererror")?.textContent];
    }, svg);
    assert.equal(bad, undefined);
    assert.equal(circles, points.length);
    assert.ok(texts.includes("mlp"), "the legend is in the file");
    for (const row of points) {
      const run = gd.find((r) => r.run === row.run);
      const names = Object.keys(row).slice(3);
      for (const name of names) assert.ok(Math.abs(row[name] - run[name]) <= 1e-6 * Math.abs(run[name]), `${name} of ${run.run}`);
    }
    const series = parseCsv(await downloaded(page, "#series button:has-text('CSV')"));
    assert.ok(series.length > 0 && series.every((row) => gd.some((run) => run.run === row.run)));
    for (const view of ["series", "phase", "spectra"]) {
      const text = await downloaded(page, `#${view} button:has-text('SVG')`);
      assert.equal(await page.evaluate((t) => new DOMParser().parseFromString(t, "image/svg+xml").querySelector("parsererror"), text), null, view);
    }
    await page.close();
  },

  async "a law opens its groups, and shows their runs"() {
    const page = await open(index);
    assert.equal(await page.locator("#board-table tbody button").count(), laws.length);
    for (const law of laws) {
      const own = groups.filter((g) => g.law === law.law);
      const name = page.locator("#board-table button.plain", { hasText: new RegExp(`^${law.law}$`) });
      await name.focus();
      await page.keyboard.press("Enter");
      await settle(page);
      assert.ok((await page.textContent("#law h3")).startsWith(law.law));
      assert.equal(await page.locator("#law tbody tr").count(), own.length);
      assert.equal(await page.evaluate(() => document.activeElement.id), "law", "the panel has the focus");
      await page.click("#law button:has-text('Show only its runs')");
      await settle(page);
      assert.equal(await shownCount(page), new Set(own.flatMap((g) => g["run-ids"].split(";"))).size);
      await page.click("#chips button");
      await page.locator("#law tbody button").first().click();
      await settle(page);
      assert.ok(await shownCount(page) < runs.length);
      await page.click("#law button:has-text('Close')");
      await settle(page);
      assert.equal(await page.locator("#law").isVisible(), false);
      assert.equal(await shownCount(page), runs.length);
    }
    await page.close();
  },

  async "pointing at a run names it and says how to repeat it"() {
    const page = await open(index);
    const dot = page.locator("#scatter [data-mark=dot] circle").nth(4);
    await dot.evaluate((node) => node.scrollIntoView({ block: "center" }));
    const box = await dot.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForTimeout(200);
    const command = await page.textContent("#run code");
    const run = runs.find((r) => r.command === command);
    assert.ok(run, `no run has the command ${command}`);
    assert.ok((await page.textContent("#run .name")).includes(run.run));
    assert.ok((await page.textContent("#scatter [data-mark=tip]")).includes(run.run), "the tip");
    await page.locator("#table tbody button").first().focus();
    await page.keyboard.press("Enter");
    await settle(page);
    assert.equal(await page.locator("#table tr.chosen").count(), 1);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true", "the focus stays");
    await page.close();
  },

  async "prints"() {
    const page = await open(index, { theme: "dark" });
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("#run").isVisible(), false);
    assert.equal(await page.locator("#scatter svg").first().isVisible(), true);
    assert.ok((await page.pdf({ format: "A4" })).length > 10000);
    await page.close();
  },

  async "many runs are summarized, in colors of words"() {
    const page = await open(`${index}#draw=bands&color=model`);
    const lines = await page.locator("#series [data-mark=line] path").count();
    const models = new Set(runs.map((run) => run.model.split(":")[0]));
    assert.equal(lines, models.size);
    const bands = parseCsv(await downloaded(page, "#series button:has-text('CSV')"));
    assert.deepEqual(sorted(new Set(bands.map((row) => row.color))), sorted(models));
    assert.ok(bands.every((row) => Number(row["10%"]) <= Number(row.median) && Number(row.median) <= Number(row["90%"])));
    await page.close();
  },

  async "one run, and no law, are a page too"() {
    const page = await open(pathToFileURL(`${work}/one/report/index.html`).href, { width: 390 });
    assert.equal(await shownCount(page), 1);
    await page.locator("#table tbody button").first().click();
    await settle(page);
    assert.ok((await page.textContent("#run code")).startsWith("unibench train"));
    await checkWidth(page, "one run");
    await checkAxe(page, "one run");
    await page.close();
  },

  async "names are texts, never markup"() {
    const name = "\\u003cimg src=x onerror=window.hurt=1>\\u003cscript>window.hurt=1\\u003c/script>";
    const html = readFileSync(`${report}/index.html`, "utf8");
    const parts = html.split(/("systems":\{"names":\[")/);
    assert.equal(parts.length, 3);
    writeFileSync(`${work}/hostile.html`, parts[0] + parts[1] + name + parts[2]);
    const page = await open(pathToFileURL(`${work}/hostile.html`).href);
    await page.locator("#table tbody button").first().click();
    await settle(page);
    assert.ok((await page.textContent("#run .name")).includes("<img src=x"));
    assert.equal(await page.evaluate(() => window.hurt), undefined);
    await page.close();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  faults.length = 0;
  const started = Date.now();
  try {
    await test();
    assert.deepEqual(faults, []);
    console.log(`ok: ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}\n${error.stack}\n${faults.join("\n")}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
