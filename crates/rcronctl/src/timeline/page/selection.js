// The selected run and the shown finding, and the keys that change them.
let selected = null;
// -1 before the first one.
let shownFinding = -1;

function select(run) {
  if (!run) return;
  selected = run;
  const half = (view.to - view.from) / 2;
  if (run.start < view.from || run.start > view.to) setView(run.start - half, run.start + half);
  draw();
  const y = laneTop(run.row, run.lane);
  const top = plot.getBoundingClientRect().top + y;
  if (top < 40 || top + BAR_HEIGHT > innerHeight - 20) scrollBy(0, top - innerHeight / 2);
  const box = plot.getBoundingClientRect();
  showDetails(run, box.left + Math.min(Math.max(xOf(run.start), 0), width), box.top + y + BAR_HEIGHT);
}

function unselect() {
  selected = null;
  hideDetails();
  requestDraw();
}

function firstInView() {
  const isInView = (run) => run.end >= view.from && run.start <= view.to;
  return timeline.rows.map((row) => row.runs.find(isInView)).find((run) => run);
}

function selectInRow(by) {
  select(selected ? (selected.row.runs[selected.index + by] ?? selected) : firstInView());
}

// Selects the run of another row that is nearest in time.
function selectInOtherRow(by) {
  if (!selected) return select(firstInView());
  const row = timeline.rows[timeline.rows.indexOf(selected.row) + by];
  if (!row) return select(selected);
  const distance = (run) => Math.abs(run.start - selected.start);
  return select(row.runs.reduce((best, run) => (distance(run) < distance(best) ? run : best)));
}

function showFinding(index) {
  const finding = timeline.findings[index];
  if (!finding) return;
  shownFinding = index;
  const row = timeline.rows[finding.row];
  // Some periods before and after it.
  const room = Math.max((finding.end - finding.start) * 0.6, (row.period ?? 60) * 4000);
  setView(finding.start - room, finding.end + room);
  const run = runById.get(finding.runs[0]);
  plot.focus({ preventScroll: true });
  if (run) return select(run);
  unselect();
  draw();
  return scrollBy(0, plot.getBoundingClientRect().top + row.top - innerHeight / 2);
}

function showNextFinding(by) {
  const number = timeline.findings.length;
  const current = shownFinding < 0 && by < 0 ? 0 : shownFinding;
  if (number > 0) showFinding((current + by + number) % number);
}

const KEYS = {
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  "0": () => setView(SINCE, UNTIL),
  ArrowLeft: (event) => (event.shiftKey ? pan(-0.2) : selectInRow(-1)),
  ArrowRight: (event) => (event.shiftKey ? pan(0.2) : selectInRow(1)),
  ArrowUp: () => selectInOtherRow(-1),
  ArrowDown: () => selectInOtherRow(1),
  n: () => showNextFinding(1),
  p: () => showNextFinding(-1),
  Escape: unselect,
};

plot.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act(event);
});
plot.addEventListener("blur", unselect);
