// What part of the time is in view, and where a time and a row lie.
const SHORTEST = 1000;
const LANE = 22;
const BAR = 18;
const ROOM = 7;
const HEADING = 32;
const view = { from: SINCE, to: UNTIL };
const plot = document.getElementById("plot");
const bars = document.getElementById("bars");
const axis = document.getElementById("axis");
let width = 1;

function layOutRows() {
  let top = 0;
  let cluster = null;
  for (const row of picture.rows) {
    row.heading = hasClusters && row.cluster !== cluster ? top : null;
    if (row.heading !== null) top += HEADING;
    cluster = row.cluster;
    row.top = top;
    row.height = Math.max(44, row.lanes.length * LANE + 2 * ROOM);
    top += row.height;
  }
  return top;
}
const height = layOutRows();

const x = (time) => ((time - view.from) / (view.to - view.from)) * width;
const timeAt = (pixel) => view.from + (pixel / width) * (view.to - view.from);
const laneTop = (row, lane) => row.top + (row.height - row.lanes.length * LANE) / 2 + lane * LANE + (LANE - BAR) / 2;

function setView(from, to) {
  const all = Math.max(UNTIL - SINCE, SHORTEST);
  const span = Math.min(Math.max(to - from, SHORTEST), all);
  const middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - span / 2, SINCE), SINCE + all - span);
  view.to = view.from + span;
  redraw();
}

// Zooms so that the time under the pixel stays there.
function zoom(factor, pixel = width / 2) {
  const all = Math.max(UNTIL - SINCE, SHORTEST);
  const span = Math.min(Math.max((view.to - view.from) * factor, SHORTEST), all);
  const from = timeAt(pixel) - (pixel / width) * span;
  setView(from, from + span);
}

function pan(share) {
  const by = (view.to - view.from) * share;
  setView(view.from + by, view.to + by);
}

const isWhole = () => view.to - view.from >= UNTIL - SINCE;

// Round times of the viewer's clock, far enough apart for their labels.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2419200];

function ticks() {
  const least = ((view.to - view.from) / 1000 / width) * 74;
  const step = STEPS.find((size) => size >= least) ?? STEPS[STEPS.length - 1];
  const found = [];
  const fine = Math.min(step, 900) * 1000;
  for (let time = Math.ceil(view.from / fine) * fine; time <= view.to; time += fine) {
    const wall = time / 1000 - new Date(time).getTimezoneOffset() * 60;
    if (wall % step !== 0) continue;
    const isDay = wall % 86400 === 0;
    found.push({ time, isDay, label: isDay ? dayOf(time).slice(5) : clockOf(time, step < 60) });
  }
  return found;
}
