// Going from run to run, and from finding to finding, with the keyboard.
let selected = null;
let shownFinding = -1;

function select(run) {
  if (!run) return;
  selected = run;
  const span = view.to - view.from;
  if (run.at < view.from || run.at > view.to) setView(run.at - span / 2, run.at + span / 2);
  draw();
  const box = plot.getBoundingClientRect();
  const y = laneTop(run.row, run.lane);
  if (box.top + y < 40 || box.top + y + BAR > innerHeight - 20) scrollBy(0, box.top + y - innerHeight / 2);
  const now = plot.getBoundingClientRect();
  showDetails(run, now.left + Math.min(Math.max(x(run.at), 0), width), now.top + y + BAR);
}

function unselect() {
  selected = null;
  hideDetails();
  redraw();
}

const firstInView = () => picture.rows.flatMap((row) => row.runs.filter((run) => run.to >= view.from && run.at <= view.to).slice(0, 1))[0];

function step(by) {
  select(selected ? (selected.row.runs[selected.index + by] ?? selected) : firstInView());
}

// The run of the next row that is nearest in time.
function stepRow(by) {
  if (!selected) return select(firstInView());
  const row = picture.rows[picture.rows.indexOf(selected.row) + by];
  if (!row) return select(selected);
  const distance = (run) => Math.abs(run.at - selected.at);
  return select(row.runs.reduce((best, run) => (distance(run) < distance(best) ? run : best)));
}

function showFinding(index) {
  const finding = picture.findings[index];
  if (!finding) return;
  shownFinding = index;
  const row = picture.rows[finding.row];
  const room = Math.max((finding.till - finding.at) * 0.6, (row.period ?? 60) * 4000);
  setView(finding.at - room, finding.till + room);
  const run = runById.get(finding.runs[0]);
  plot.focus({ preventScroll: true });
  if (run) return select(run);
  unselect();
  draw();
  return scrollBy(0, plot.getBoundingClientRect().top + row.top - innerHeight / 2);
}

function stepFinding(by) {
  const many = picture.findings.length;
  if (many > 0) showFinding((shownFinding + by + many + (shownFinding < 0 && by < 0 ? 1 : 0)) % many);
}

const KEYS = {
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  "0": () => setView(SINCE, UNTIL),
  ArrowLeft: (event) => (event.shiftKey ? pan(-0.2) : step(-1)),
  ArrowRight: (event) => (event.shiftKey ? pan(0.2) : step(1)),
  ArrowUp: () => stepRow(-1),
  ArrowDown: () => stepRow(1),
  n: () => stepFinding(1),
  p: () => stepFinding(-1),
  Escape: unselect,
};

plot.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act(event);
});
plot.addEventListener("blur", unselect);
