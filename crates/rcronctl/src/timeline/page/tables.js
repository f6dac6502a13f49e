// Everything around the chart: title, figures, legends, labels and the table of findings.
const MOST_CLUSTERS_IN_TITLE = 3;

function addTitle() {
  const clusters = [...new Set(timeline.rows.map((row) => row.cluster))];
  if (clusters.length === 0) return;
  const names = clusters.length > MOST_CLUSTERS_IN_TITLE ? `${clusters.length} clusters` : clusters.join(", ");
  document.title = `${names}: which server ran what, and when`;
  document.getElementById("title").textContent = document.title;
}

function addFigures() {
  const runs = timeline.rows.flatMap((row) => row.runs);
  const numberOf = (list) => list.reduce((sum, run) => sum + run.number, 0);
  const runsWith = (status) => numberOf(runs.filter((run) => run.status === status));
  const findings = (kind) => timeline.findings.filter((finding) => finding.finding === kind);
  const ticks = (kind) => findings(kind).reduce((sum, finding) => sum + finding.ticks, 0);
  // Number, singular, plural, and the class if the number is not 0.
  const figures = [
    [numberOf(runs), "run", "runs", ""],
    [timeline.rows.length, "job", "jobs", ""],
    [timeline.servers.length, "server", "servers", ""],
    [runsWith("running"), "running now", "running now", ""],
    [runsWith("fail"), "failed", "failed", "bad"],
    [runsWith("interrupted"), "interrupted", "interrupted", "bad"],
    [ticks("twice"), "tick ran twice", "ticks ran twice", "warn"],
  ];
  if (timeline.missed_ticks_are_looked_for) figures.push([ticks("nowhere"), "tick ran nowhere", "ticks ran nowhere", "bad"]);
  if (ticks("missed") > 0) figures.push([ticks("missed"), "tick missed", "ticks missed", "bad"]);
  const list = document.getElementById("figures");
  for (const [number, one, many, className] of figures) {
    const item = element("li", number > 0 ? className : "");
    item.append(element("strong", "", number.toLocaleString("en")), number === 1 ? one : many);
    list.append(item);
  }
}

function addJoined() {
  const notice = document.getElementById("joined");
  notice.hidden = !timeline.joined;
  if (timeline.joined) notice.textContent = `${count(timeline.joined, "run")} are too many to show each: runs that follow one another and ended alike are one bar.`;
}

function addServers() {
  const list = document.getElementById("servers");
  timeline.servers.forEach((server, index) => {
    const item = element("li");
    item.append(element("span", `chip s${index % 6}`, server.letter), server.name);
    list.append(item);
  });
}

function addMarks() {
  const bar = (status, to = 20) => svg("path", { class: `bar s0 ${status}`, d: outline({ from: 1, to, status }, 0) });
  const band = (kind) => svg("rect", { class: `band ${kind}`, x: 2, y: 2, width: 24, height: 14, rx: 4 });
  const samples = [
    [[bar("ok", 24)], "ended well"],
    [[bar("ok", 26), svg("rect", { fill: "url(#comb)", x: 1, y: 0, width: 25, height: 18 })], "many close together"],
    [[bar("fail"), badge(22, 9, "×", "")], "failed"],
    [[bar("interrupted"), badge(22, 9, "!", "")], "interrupted by a crash"],
    [[bar("running", 27)], "running"],
    [[bar("unknown"), badge(22, 9, "?", "mild")], "end not recorded"],
    [[band("twice"), badge(14, 9, "2", "twice")], "ran twice"],
    [[band("nowhere"), badge(14, 9, "0", "nowhere")], "ran nowhere"],
  ];
  if (timeline.findings.some((finding) => finding.finding === "missed")) {
    samples.push([[band("missed"), badge(14, 9, "m", "missed")], "missed"]);
  }
  const list = document.getElementById("marks");
  for (const [shapes, text] of samples) {
    const item = element("li");
    const sample = svg("svg", { width: 30, height: 18, viewBox: "0 0 30 18" });
    sample.append(...shapes);
    item.append(sample, text);
    list.append(item);
  }
}

function addLabels() {
  const labels = document.getElementById("labels");
  labels.style.height = `${height}px`;
  for (const row of timeline.rows) {
    if (row.heading !== null) {
      const heading = element("div", "cluster", row.cluster);
      heading.style.top = `${row.heading}px`;
      labels.append(heading);
    }
    labels.append(label(row));
  }
}

function label(row) {
  const made = element("div", "label");
  made.style.top = `${row.top}px`;
  made.style.height = `${row.height}px`;
  const name = element("div", "name", row.label);
  name.title = row.label;
  name.append(element("small", "", row.period ? periodWords(row) : count(row.runs.reduce((sum, run) => sum + run.number, 0), "run")));
  const lanes = element("div", "lanes");
  for (const server of row.lanes) lanes.append(element("span", `chip s${server % 6}`, timeline.servers[server].letter));
  made.append(name, lanes);
  return made;
}

function addFindings() {
  document.getElementById("one-journal").hidden = timeline.missed_ticks_are_looked_for;
  document.getElementById("no-findings").hidden = timeline.findings.length > 0 || !timeline.missed_ticks_are_looked_for;
  document.getElementById("findings-count").textContent = timeline.findings.length.toLocaleString("en");
  const table = document.getElementById("findings");
  table.hidden = timeline.findings.length === 0;
  table.tBodies[0].append(...timeline.findings.map(findingRow));
}

// From when to when, with the date only once if it is the same.
function between(finding, words) {
  const [from, to] = [words(finding.start), words(finding.end)];
  return from === to ? from : `${from} – ${to.slice(0, 10) === from.slice(0, 10) ? to.slice(11) : to}`;
}

function findingRow(finding, index) {
  const row = timeline.rows[finding.row];
  const made = element("tr");
  const what = element("td");
  what.append(element("span", `kind ${finding.finding}`, kindWords(finding)));
  const button = element("button", "", "Show");
  button.type = "button";
  button.addEventListener("click", () => showFinding(index));
  const job = element("td", "job", nameOf(row));
  if (row.period) job.append(element("small", "", ` ${periodWords(row)}`));
  const show = element("td");
  show.append(button);
  made.append(what, job, element("td", "", between(finding, localTime)), element("td", "utc", between(finding, utcTime)));
  made.append(element("td", "", finding.servers.join(", ") || finding.reason || "–"), show);
  return made;
}
