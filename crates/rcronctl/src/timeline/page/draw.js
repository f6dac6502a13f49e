// Draws what is in view, as SVG. Everything is drawn again at each change.
// Pixels.
const MIN_WIDTH = 3;
const TORN_WIDTH = 9;
const MIN_WIDTH_FOR_LETTER = 18;
const MIN_BADGE_DISTANCE = 10;
const BADGE_RADIUS = 7;
// Bars continue a little beyond the edge, so that their ends are not seen there.
const OVERHANG = 5;
// Rows this far outside the window are drawn too, for quick scrolling.
const OFFSCREEN_MARGIN = 300;
const MARKS = { fail: "×", interrupted: "!", unknown: "?", unwatched: "?" };
const SEVERITY = ["ok", "running", "unknown", "unwatched", "fail", "interrupted"];
let isDrawRequested = false;

function requestDraw() {
  if (isDrawRequested) return;
  isDrawRequested = true;
  requestAnimationFrame(() => {
    isDrawRequested = false;
    draw();
  });
}

function draw() {
  width = Math.max(plot.clientWidth, 50);
  bars.setAttribute("height", height);
  bars.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const layers = { back: svg("g"), bars: svg("g"), marks: svg("g") };
  drawAxis(layers.back);
  const top = plot.getBoundingClientRect().top;
  const isNearWindow = (row) => top + row.top + row.height > -OFFSCREEN_MARGIN && top + row.top < innerHeight + OFFSCREEN_MARGIN;
  for (const row of timeline.rows) {
    layers.back.append(svg("line", { class: "rule", x1: 0, x2: width, y1: row.top + 0.5, y2: row.top + 0.5 }));
    if (isNearWindow(row)) drawRow(row, layers);
  }
  drawSelection(layers.marks);
  bars.replaceChildren(patterns(), layers.back, layers.bars, layers.marks);
  plot.dataset.from = Math.round(view.from);
  plot.dataset.to = Math.round(view.to);
  const until = dayOf(view.from) === dayOf(view.to) ? clockOf(view.to) : localTime(view.to);
  document.getElementById("in-view").textContent = `${localTime(view.from)} – ${until} · ${durationWords(view.to - view.from)}`;
}

function drawAxis(layer) {
  const labels = [];
  for (const label of axisLabels()) {
    const at = xOf(label.time);
    const day = label.isDay ? " day" : "";
    layer.append(svg("line", { class: `grid${day}`, x1: at, x2: at, y1: 0, y2: height }));
    const anchor = at < 20 ? "start" : at > width - 20 ? "end" : "middle";
    labels.push(svg("text", { class: day.trim(), x: at, y: 19, "text-anchor": anchor }, label.text));
  }
  axis.replaceChildren(...labels);
}

function drawRow(row, layers) {
  const own = timeline.findings.filter((finding) => timeline.rows[finding.row] === row);
  for (const finding of own) drawFinding(finding, row, layers);
  row.lanes.forEach((server, lane) => drawLane(row, lane, server, layers));
}

// A band behind the bars, with a badge unless it is a silence.
function drawFinding(finding, row, layers) {
  const kind = finding.finding;
  const [from, to] = [xOf(finding.start), xOf(finding.end)];
  if (to < -20 || from > width + 20) return;
  const margin = kind === "quiet" ? 0 : 6;
  const box = { x: from - margin, width: Math.max(to - from, MIN_WIDTH) + 2 * margin, y: row.top + 3, height: row.height - 6, rx: 4 };
  layers.back.append(svg("rect", { class: `band ${kind}`, ...box }));
  if (kind === "twice") {
    layers.marks.append(badge(Math.max(from - margin, 8), row.top + 5, "2", kind));
  } else if (kind === "nowhere" || kind === "missed") {
    const sign = kind === "missed" ? "m" : "0";
    layers.marks.append(badge((Math.max(from, 0) + Math.min(to, width)) / 2, row.top + row.height / 2, sign, kind));
  }
}

// Bars that would cover one another are drawn as one. The number of shapes then depends on the pixels, not on the runs.
function drawLane(row, lane, server, layers) {
  const top = laneTop(row, lane);
  const drawn = { bar: null, badge: -Infinity };
  const flush = () => drawn.bar && drawBar(drawn, top, server, layers);
  for (const run of row.runs) {
    if (run.lane !== lane || run.end < view.from || run.start > view.to) continue;
    const from = Math.max(xOf(run.start), -OVERHANG);
    const narrowest = run.status === "interrupted" ? TORN_WIDTH : MIN_WIDTH;
    const to = Math.min(Math.max(xOf(run.end), from + narrowest), width + OVERHANG);
    if (drawn.bar && joins(drawn.bar, run, from, to)) {
      drawn.bar.to = Math.max(drawn.bar.to, to);
      drawn.bar.runs += run.number;
    } else {
      flush();
      drawn.bar = { from, to, runs: run.number, status: run.status };
    }
  }
  flush();
}

// A covered run joins a bar of the same status. A failed run is never hidden, but it may hide a successful one.
function joins(bar, run, from, to) {
  const isCovered = from < bar.to + 0.5 && (to - from <= TORN_WIDTH || to <= bar.to);
  const isMilder = SEVERITY.indexOf(run.status) < SEVERITY.indexOf(bar.status);
  return isCovered && (bar.status === run.status || (isMilder && bar.to - bar.from <= TORN_WIDTH && to - from <= MIN_WIDTH));
}

// `drawn` is the bar, and where the lane's last badge is.
function drawBar(drawn, top, server, layers) {
  const bar = drawn.bar;
  const barWidth = bar.to - bar.from;
  const className = `bar s${server % 6} ${bar.status}`;
  const data = { class: className, "data-runs": bar.runs, "data-status": bar.status };
  layers.bars.append(svg("path", { ...data, d: outline(bar, top) }));
  const pattern = bar.runs > 1 ? "comb" : bar.status === "fail" ? "hatch" : "";
  if (pattern && barWidth > 5) {
    layers.bars.append(svg("rect", { fill: `url(#${pattern})`, x: bar.from, y: top, width: barWidth, height: BAR_HEIGHT, rx: 3 }));
  }
  if (barWidth >= MIN_WIDTH_FOR_LETTER && bar.runs === 1) {
    const x = Math.max(bar.from, 0) + 5;
    layers.bars.append(svg("text", { class: `letter s${server % 6}`, x, y: top + 13 }, timeline.servers[server].letter));
  }
  const mark = MARKS[bar.status];
  const at = Math.min(bar.to + 4, width - BADGE_RADIUS);
  if (!mark || at - drawn.badge < MIN_BADGE_DISTANCE) return;
  drawn.badge = at;
  layers.marks.append(badge(at, top + BAR_HEIGHT / 2, mark, mark === "?" ? "mild" : ""));
}

// A ring around the selected run.
function drawSelection(layer) {
  if (!selected) return;
  const x = xOf(selected.start);
  const runWidth = Math.max(xOf(selected.end) - x, MIN_WIDTH);
  const y = laneTop(selected.row, selected.lane);
  layer.append(svg("rect", { class: "ring", x: x - 3, y: y - 3, width: runWidth + 6, height: BAR_HEIGHT + 6, rx: 5 }));
}
