// Which part of the time is in view, and where a time and a row are drawn.
// Milliseconds.
const SHORTEST_VIEW = 1000;
// Pixels.
const LANE_HEIGHT = 22;
const BAR_HEIGHT = 18;
const ROW_PADDING = 7;
const LOWEST_ROW = 44;
const HEADING_HEIGHT = 32;
const ROOM_FOR_LABEL = 74;
const view = { from: SINCE, to: UNTIL };
const plot = document.getElementById("plot");
const bars = document.getElementById("bars");
const axis = document.getElementById("axis");
let width = 1;

// Sets the position of each row; returns the height of all.
function layOutRows() {
  let top = 0;
  let cluster = null;
  for (const row of timeline.rows) {
    row.heading = hasClusters && row.cluster !== cluster ? top : null;
    if (row.heading !== null) top += HEADING_HEIGHT;
    cluster = row.cluster;
    row.top = top;
    row.height = Math.max(LOWEST_ROW, row.lanes.length * LANE_HEIGHT + 2 * ROW_PADDING);
    top += row.height;
  }
  return top;
}
const height = layOutRows();

const xOf = (time) => ((time - view.from) / (view.to - view.from)) * width;
const timeAt = (pixel) => view.from + (pixel / width) * (view.to - view.from);
const laneTop = (row, lane) => row.top + (row.height - row.lanes.length * LANE_HEIGHT) / 2 + lane * LANE_HEIGHT + (LANE_HEIGHT - BAR_HEIGHT) / 2;

const wholeLength = Math.max(UNTIL - SINCE, SHORTEST_VIEW);
const allowedLength = (length) => Math.min(Math.max(length, SHORTEST_VIEW), wholeLength);

function setView(from, to) {
  const length = allowedLength(to - from);
  const middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - length / 2, SINCE), SINCE + wholeLength - length);
  view.to = view.from + length;
  requestDraw();
}

// The time under the pixel stays there.
function zoom(factor, pixel = width / 2) {
  const length = allowedLength((view.to - view.from) * factor);
  const from = timeAt(pixel) - (pixel / width) * length;
  setView(from, from + length);
}

// Moves by a share of what is in view.
function pan(share) {
  const by = (view.to - view.from) * share;
  setView(view.from + by, view.to + by);
}

// Whether the whole time is in view.
const showsAll = () => view.to - view.from >= UNTIL - SINCE;

// Possible distances between two labels, in seconds.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2419200];

// The labels of the time axis: round times of the viewer's clock.
function axisLabels() {
  const shortest = ((view.to - view.from) / 1000 / width) * ROOM_FOR_LABEL;
  const step = STEPS.find((size) => size >= shortest) ?? STEPS[STEPS.length - 1];
  const labels = [];
  // All local times differ from UTC by a multiple of a quarter of an hour.
  const fine = Math.min(step, 900) * 1000;
  for (let time = Math.ceil(view.from / fine) * fine; time <= view.to; time += fine) {
    const wall = time / 1000 - new Date(time).getTimezoneOffset() * 60;
    if (wall % step !== 0) continue;
    const isDay = wall % 86400 === 0;
    labels.push({ time, isDay, text: isDay ? dayOf(time).slice(5) : clockOf(time, step < 60) });
  }
  return labels;
}
