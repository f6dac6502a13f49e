// Draws a dashboard of Grafana from what a Prometheus answers, as far as examples/prometheus/dashboard.json needs it. This is not Grafana.
// `input` has the dashboard, the address of Prometheus, and `from` and `to` in seconds since 1970.
"use strict";

const COLUMN = 50;
const ROW = 34;
const GAP = 6;
const NAMED = { green: "#56a64b", red: "#e02f44", orange: "#ff9830", blue: "#3274d9", transparent: "transparent" };
const LINES = ["#56a64b", "#3274d9", "#ff9830", "#8f3bb8", "#e02f44", "#00868b", "#b88a00", "#c2185b"];

async function ask(path, parameters) {
  const answer = await fetch(`http://${input.prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const content = await answer.json();
  if (content.status !== "success") throw new Error(content.error);
  return content.data.result;
}

function expression(target) {
  return target.expr
    .replaceAll("$cluster", ".*")
    .replaceAll("$__range", `${Math.round(input.to - input.from)}s`)
    .replaceAll("$__rate_interval", "15s");
}

const instant = (target) => ask("query", { query: expression(target), time: input.to });

async function range(target) {
  const query = { query: expression(target), start: input.from, end: input.to, step: 1 };
  const series = await ask("query_range", query);
  return series.map(({ metric, values }) => ({
    name: target.legendFormat.replace(/{{(\w+)}}/g, (_, label) => metric[label]),
    values: values.map(([time, value]) => [time, Number(value)]),
  }));
}

const everySeries = async (panel) => (await Promise.all(panel.targets.map(range))).flat();

function colorOf({ steps }, value) {
  const reached = steps.filter((step) => step.value === null || value >= step.value);
  return NAMED[reached.at(-1).color];
}

function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [0.001, "ms"]];
  const [size, unit] = units.find(([size]) => Math.abs(seconds) >= size) ?? [0.001, "ms"];
  return `${Number((seconds / size).toPrecision(2))} ${unit}`;
}

function shown(unit, value) {
  if (unit === "s") return duration(value);
  if (unit === "percentunit") return `${Math.round(value * 100)} %`;
  if (unit === "dateTimeFromNow") return `${duration(Math.round(input.to - value / 1000))} ago`;
  return String(Number(value.toPrecision(4)));
}

function element(parent, tag, attributes = {}, text = "") {
  const isPicture = parent.namespaceURI.endsWith("svg") || tag === "svg";
  const made = document.createElementNS(isPicture ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return parent.appendChild(made);
}

const none = (box) => element(box, "div", { class: "none" }, "no data");

function timeAxis(svg, left, right, y) {
  const step = [10, 30, 60, 120, 300].find((step) => (input.to - input.from) / step <= (right - left) / 60);
  const x = (time) => left + ((right - left) * (time - input.from)) / (input.to - input.from);
  for (let time = Math.ceil(input.from / step) * step; time <= input.to; time += step) {
    const label = new Date(time * 1000).toISOString().slice(11, 19);
    element(svg, "text", { x: x(time), y, "text-anchor": "middle" }, label);
    element(svg, "line", { x1: x(time), x2: x(time), y1: 4, y2: y - 12, stroke: "#e9ebee" });
  }
  return x;
}

function legend(box, entries) {
  const list = element(box, "div", { class: "legend" });
  for (const [name, color] of entries) {
    const entry = element(list, "span");
    element(entry, "i", { style: `background: ${color}` });
    entry.append(name);
  }
}

async function drawStat(box, panel) {
  const [sample] = await instant(panel.targets[0]);
  if (!sample) return none(box);
  const { thresholds, color } = panel.fieldConfig.defaults;
  const value = Number(sample.value[1]);
  const background = thresholds ? colorOf(thresholds, value) : NAMED[color.fixedColor];
  element(box, "div", { class: "stat", style: `background: ${background}` }, String(value));
}

async function drawStates(box, panel, width, height) {
  const series = await everySeries(panel);
  if (series.length === 0) return none(box);
  const states = panel.fieldConfig.defaults.mappings[0].options;
  const svg = element(box, "svg", { width, height: height - 24 });
  const bottom = height - 60;
  const x = timeAxis(svg, 170, width - 40, bottom + 16);
  const line = bottom / series.length;
  series.sort((one, other) => one.name.localeCompare(other.name)).forEach(({ name, values }, row) => {
    const top = row * line + line * 0.1;
    element(svg, "text", { x: 160, y: top + line * 0.55, "text-anchor": "end" }, name);
    for (let begin = 0, end = 1; begin < values.length; begin = end, end += 1) {
      const isSame = () => values[end][1] === values[begin][1] && values[end][0] - values[end - 1][0] < 3;
      while (end < values.length && isSame()) end += 1;
      const [from, to] = [x(values[begin][0]), x(values[end - 1][0] + 1)];
      const { text, color } = states[values[begin][1]];
      element(svg, "rect", { x: from, y: top, width: to - from, height: line * 0.8, fill: NAMED[color] ?? color });
      if (to - from > 7 * text.length + 8) {
        element(svg, "text", { x: from + 6, y: top + line * 0.55, style: "fill: #fff" }, text);
      }
    }
  });
  legend(box, Object.values(states).map(({ text, color }) => [text, NAMED[color] ?? color]));
}

async function drawLines(box, panel, width, height) {
  const series = await everySeries(panel);
  if (series.length === 0) return none(box);
  const { unit, min, max, thresholds } = panel.fieldConfig.defaults;
  const all = series.flatMap(({ values }) => values.map(([, value]) => value)).filter(Number.isFinite);
  const bottom = min ?? Math.min(...all);
  const top = max ?? Math.max(...all, bottom + (unit === "short" ? 1 : 0.001)) * 1.1;
  const svg = element(box, "svg", { width, height: height - 24 });
  const floor = height - 62;
  const x = timeAxis(svg, 62, width - 30, floor + 18);
  const y = (value) => floor - ((floor - 10) * (value - bottom)) / (top - bottom);
  const ticks = unit === "short" ? [0, Math.max(1, Math.floor(top))] : [0, 1, 2, 3].map((part) => bottom + ((top - bottom) * part) / 3);
  for (const value of ticks) {
    element(svg, "text", { x: 56, y: y(value) + 4, "text-anchor": "end" }, shown(unit, value));
    element(svg, "line", { x1: 62, x2: width - 30, y1: y(value), y2: y(value), stroke: "#e9ebee" });
  }
  for (const { value } of (thresholds?.steps ?? []).filter((step) => step.value !== null)) {
    element(svg, "line", { x1: 62, x2: width - 30, y1: y(value), y2: y(value), stroke: NAMED.red, "stroke-dasharray": "4 3" });
  }
  series.forEach(({ values }, index) => {
    const stroke = LINES[index % LINES.length];
    const isGap = (at) => at === 0 || values[at][0] - values[at - 1][0] > 3;
    const points = values.filter(([, value]) => Number.isFinite(value));
    const path = points.map(([time, value], at) => `${isGap(at) ? "M" : "L"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`);
    element(svg, "path", { d: path.join(""), fill: "none", stroke, "stroke-width": 1.5 });
  });
  legend(box, series.map(({ name }, index) => [name, LINES[index % LINES.length]]));
}

/** As the transformation `merge` does for queries that agree in these labels. */
async function mergedRows(panel) {
  const rows = new Map();
  for (const target of panel.targets) {
    for (const { metric, value } of await instant(target)) {
      const key = [metric.cluster, metric.user, metric.job].join(" ");
      rows.set(key, { ...rows.get(key), ...metric, [`Value #${target.refId}`]: Number(value[1]) });
    }
  }
  return [...rows.values()];
}

async function drawTable(box, panel) {
  const { indexByName, renameByName } = panel.transformations[1].options;
  const fields = Object.keys(indexByName).sort((one, other) => indexByName[one] - indexByName[other]);
  const rows = await mergedRows(panel);
  if (rows.length === 0) return none(box);
  const order = fields.find((field) => renameByName[field] === panel.options.sortBy[0].displayName);
  rows.sort((one, other) => (other[order] ?? -1) - (one[order] ?? -1));
  const table = element(box, "table");
  const head = element(table, "tr");
  for (const field of fields) element(head, "th", {}, renameByName[field]);
  for (const row of rows) {
    const line = element(table, "tr");
    for (const field of fields) drawCell(line, panel, renameByName[field], row[field]);
  }
}

function drawCell(line, panel, name, value) {
  if (typeof value !== "number") return element(line, "td", {}, value ?? "");
  const matches = ({ id, options }) => (id === "byName" ? options === name : new RegExp(`^(${options})$`).test(name));
  const overrides = panel.fieldConfig.overrides.filter(({ matcher }) => matches(matcher));
  const property = (id) => overrides.flatMap(({ properties }) => properties).find((found) => found.id === id)?.value;
  const background = property("thresholds") ? colorOf(property("thresholds"), value) : "transparent";
  const color = background === "transparent" ? "inherit" : "#fff";
  element(line, "td", { style: `background: ${background}; color: ${color}` }, shown(property("unit"), value));
}

const DRAW = { stat: drawStat, "state-timeline": drawStates, timeseries: drawLines, table: drawTable };

async function drawPanel(panel) {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * COLUMN - GAP, h * ROW - GAP];
  const place = `left: ${x * COLUMN + GAP}px; top: ${y * ROW + GAP}px; width: ${width}px; height: ${height}px`;
  const box = element(document.body, "section", { style: place });
  element(box, "h2", {}, panel.title);
  await DRAW[panel.type](box, panel, width, height);
}

Promise.all(input.dashboard.panels.map(drawPanel)).then(
  () => (document.title = "drawn"),
  (error) => (document.body.textContent = `failed: ${error}`),
);
