// Draws what is in view, as SVG; all of it anew at each change.
const SVG = "http://www.w3.org/2000/svg";
const LEAST = 3;
const STUB = 9;
const FAR = 300;
const APART = 10;
const MARKS = { fail: "×", interrupted: "!", unknown: "?", unwatched: "?" };
const SEVERITY = ["ok", "running", "unknown", "unwatched", "fail", "interrupted"];
let isDue = false;

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

function redraw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

function draw() {
  width = Math.max(plot.clientWidth, 50);
  bars.setAttribute("height", height);
  bars.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const layers = { back: shape("g"), bars: shape("g"), marks: shape("g") };
  drawTime(layers.back);
  const box = plot.getBoundingClientRect();
  const isSeen = (row) => box.top + row.top + row.height > -FAR && box.top + row.top < innerHeight + FAR;
  for (const row of picture.rows) {
    layers.back.append(shape("line", { class: "rule", x1: 0, x2: width, y1: row.top + 0.5, y2: row.top + 0.5 }));
    if (isSeen(row)) drawRow(row, layers);
  }
  drawRing(layers.marks);
  bars.replaceChildren(patterns(), layers.back, layers.bars, layers.marks);
  plot.dataset.from = Math.round(view.from);
  plot.dataset.to = Math.round(view.to);
  const until = dayOf(view.from) === dayOf(view.to) ? clockOf(view.to) : localTime(view.to);
  document.getElementById("span").textContent = `${localTime(view.from)} – ${until} · ${spanWords(view.to - view.from)}`;
}

function patterns() {
  const made = shape("defs");
  const hatch = shape("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(shape("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 6 }));
  const dots = shape("pattern", { id: "dots", width: 7, height: 7, patternUnits: "userSpaceOnUse" });
  dots.append(shape("circle", { class: "dot", cx: 2, cy: 2, r: 1 }));
  const comb = shape("pattern", { id: "comb", width: 4, height: 18, patternUnits: "userSpaceOnUse" });
  comb.append(shape("rect", { class: "tooth", x: 3, y: 0, width: 1, height: 18 }));
  made.append(hatch, dots, comb);
  return made;
}

function drawTime(layer) {
  const labels = [];
  for (const tick of ticks()) {
    const at = x(tick.time);
    const day = tick.isDay ? " day" : "";
    layer.append(shape("line", { class: `grid${day}`, x1: at, x2: at, y1: 0, y2: height }));
    const anchor = at < 20 ? "start" : at > width - 20 ? "end" : "middle";
    labels.push(shape("text", { class: day.trim(), x: at, y: 19, "text-anchor": anchor }, tick.label));
  }
  axis.replaceChildren(...labels);
}

function drawRow(row, layers) {
  const own = picture.findings.filter((finding) => picture.rows[finding.row] === row);
  for (const finding of own) drawBand(finding, row, layers);
  row.lanes.forEach((server, lane) => drawLane(row, lane, server, layers));
}

function drawBand(finding, row, layers) {
  const [from, to] = [x(finding.at), x(finding.till)];
  if (to < -20 || from > width + 20) return;
  const wider = finding.finding === "quiet" ? 0 : 6;
  const attributes = { x: from - wider, width: Math.max(to - from, LEAST) + 2 * wider, y: row.top + 3, height: row.height - 6, rx: 4 };
  layers.back.append(shape("rect", { class: `band ${finding.finding}`, ...attributes }));
  if (finding.finding === "quiet") return;
  const [at, mark] = finding.finding === "twice" ? [Math.max(from - wider, 8), "2"] : [(Math.max(from, 0) + Math.min(to, width)) / 2, "0"];
  const y = finding.finding === "twice" ? row.top + 5 : row.top + row.height / 2;
  layers.marks.append(badge(at, y, mark, finding.finding));
}

// Bars that would cover one another are drawn as one, so that a picture is never more than so many shapes.
function drawLane(row, lane, server, layers) {
  const top = laneTop(row, lane);
  const drawn = { bar: null, badge: -Infinity };
  const flush = () => drawn.bar && drawBar(drawn, top, server, layers);
  for (const run of row.runs) {
    if (run.lane !== lane || run.to < view.from || run.at > view.to) continue;
    const from = Math.max(x(run.at), -5);
    const to = Math.min(Math.max(x(run.to), from + (run.status === "interrupted" ? STUB : LEAST)), width + 5);
    if (drawn.bar && joins(drawn.bar, run, from, to)) {
      drawn.bar.to = Math.max(drawn.bar.to, to);
      drawn.bar.runs += 1;
    } else {
      flush();
      drawn.bar = { from, to, runs: 1, status: run.status };
    }
  }
  flush();
}

// A run that would be hidden joins its like. A failed one is never hidden, but may hide a better one.
function joins(bar, run, from, to) {
  const isCovered = from < bar.to + 0.5 && (to - from <= STUB || to <= bar.to);
  const isMilder = SEVERITY.indexOf(run.status) < SEVERITY.indexOf(bar.status);
  return isCovered && (bar.status === run.status || (isMilder && bar.to - bar.from <= STUB && to - from <= LEAST));
}

function drawBar(drawn, top, server, layers) {
  const bar = drawn.bar;
  const wide = bar.to - bar.from;
  const className = `bar s${server % 6} ${bar.status}`;
  const data = { class: className, "data-runs": bar.runs, "data-status": bar.status };
  layers.bars.append(shape("path", { ...data, d: outline(bar, top) }));
  const pattern = bar.runs > 1 ? "comb" : bar.status === "fail" ? "hatch" : "";
  if (pattern && wide > 5) {
    layers.bars.append(shape("rect", { fill: `url(#${pattern})`, x: bar.from, y: top, width: wide, height: BAR, rx: 3 }));
  }
  if (wide >= 18 && bar.runs === 1) {
    const from = Math.max(bar.from, 0);
    layers.bars.append(shape("text", { class: `letter s${server % 6}`, x: from + 5, y: top + 13 }, picture.servers[server].letter));
  }
  const mark = MARKS[bar.status];
  const at = Math.min(bar.to + 4, width - 7);
  if (!mark || at - drawn.badge < APART) return;
  drawn.badge = at;
  layers.marks.append(badge(at, top + BAR / 2, mark, mark === "?" ? "mild" : ""));
}

// A box; with a point where the run goes on, and a torn edge where it was cut off.
function outline(bar, top) {
  const [from, to, down] = [bar.from, bar.to, BAR];
  if (bar.status === "running" && to - from > 8) {
    return `M${from} ${top}H${to - 7}L${to} ${top + down / 2}L${to - 7} ${top + down}H${from}Z`;
  }
  if (bar.status === "interrupted") {
    const step = down / 4;
    return `M${from} ${top}H${to}l-4 ${step}l4 ${step}l-4 ${step}l4 ${step}H${from}Z`;
  }
  const r = Math.min(3, (to - from) / 2);
  return `M${from + r} ${top}H${to - r}a${r} ${r} 0 0 1 ${r} ${r}v${down - 2 * r}a${r} ${r} 0 0 1 -${r} ${r}H${from + r}a${r} ${r} 0 0 1 -${r} -${r}v-${down - 2 * r}a${r} ${r} 0 0 1 ${r} -${r}Z`;
}

function badge(at, y, mark, className) {
  const made = shape("g", { class: `badge ${className}`, transform: `translate(${at} ${y})` });
  made.append(shape("circle", { r: 6.5 }), shape("text", { y: 3.4 }, mark));
  return made;
}

function drawRing(layer) {
  if (!selected) return;
  const from = x(selected.at);
  const wide = Math.max(x(selected.to) - from, LEAST);
  layer.append(shape("rect", { class: "ring", x: from - 3, y: laneTop(selected.row, selected.lane) - 3, width: wide + 6, height: BAR + 6, rx: 5 }));
}
