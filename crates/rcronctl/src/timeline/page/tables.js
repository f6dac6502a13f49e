// What stands around the picture: figures, legends, labels, findings.
function addFigures() {
  const runs = picture.rows.flatMap((row) => row.runs);
  const of = (status) => runs.filter((run) => run.status === status).length;
  const findings = (kind) => picture.findings.filter((finding) => finding.finding === kind);
  const ticks = (kind) => findings(kind).reduce((sum, finding) => sum + finding.ticks, 0);
  const figures = [
    [runs.length, "run", "runs", ""],
    [picture.rows.length, "job", "jobs", ""],
    [picture.servers.length, "server", "servers", ""],
    [of("running"), "running now", "running now", ""],
    [of("fail"), "failed", "failed", "bad"],
    [of("interrupted"), "interrupted", "interrupted", "bad"],
    [ticks("twice"), "tick ran twice", "ticks ran twice", "warn"],
  ];
  if (picture.missed_ticks_are_looked_for) figures.push([ticks("nowhere"), "tick ran nowhere", "ticks ran nowhere", "bad"]);
  const list = document.getElementById("figures");
  for (const [number, one, many, className] of figures) {
    const item = element("li", number > 0 ? className : "");
    item.append(element("strong", "", number.toLocaleString("en")), number === 1 ? one : many);
    list.append(item);
  }
}

function addServers() {
  const list = document.getElementById("servers");
  picture.servers.forEach((server, index) => {
    const item = element("li");
    item.append(element("span", `chip s${index % 6}`, server.letter), server.name);
    list.append(item);
  });
}

function sample(draw) {
  const picture = shape("svg", { width: 30, height: 18, viewBox: "0 0 30 18" });
  picture.append(...draw);
  return picture;
}

function addMarks() {
  const bar = (status, to = 20) => shape("path", { class: `bar s0 ${status}`, d: outline({ from: 1, to, status }, 0) });
  const samples = [
    [[bar("ok", 24)], "ended well"],
    [[bar("ok", 26), shape("rect", { fill: "url(#comb)", x: 1, y: 0, width: 25, height: 18 })], "many close together"],
    [[bar("fail"), badge(22, 9, "×", "")], "failed"],
    [[bar("interrupted"), badge(22, 9, "!", "")], "interrupted by a crash"],
    [[bar("running", 27)], "running"],
    [[bar("unknown"), badge(22, 9, "?", "mild")], "end not recorded"],
    [[shape("rect", { class: "band twice", x: 2, y: 2, width: 24, height: 14, rx: 4 }), badge(14, 9, "2", "twice")], "ran twice"],
    [[shape("rect", { class: "band nowhere", x: 2, y: 2, width: 24, height: 14, rx: 4 }), badge(14, 9, "0", "nowhere")], "ran nowhere"],
  ];
  const list = document.getElementById("marks");
  for (const [shapes, text] of samples) {
    const item = element("li");
    item.append(sample(shapes), text);
    list.append(item);
  }
}

function addLabels() {
  const labels = document.getElementById("labels");
  labels.style.height = `${height}px`;
  for (const row of picture.rows) {
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
  name.append(element("small", "", row.period ? `every ${spanWords(row.period * 1000)}` : count(row.runs.length, "run")));
  const lanes = element("div", "lanes");
  for (const server of row.lanes) lanes.append(element("span", `chip s${server % 6}`, picture.servers[server].letter));
  made.append(name, lanes);
  return made;
}

function addFindings() {
  document.getElementById("one-journal").hidden = picture.missed_ticks_are_looked_for;
  document.getElementById("no-findings").hidden = picture.findings.length > 0 || !picture.missed_ticks_are_looked_for;
  const table = document.getElementById("findings");
  table.hidden = picture.findings.length === 0;
  table.tBodies[0].append(...picture.findings.map(findingRow));
}

function between(finding, words) {
  const [from, to] = [words(finding.at), words(finding.till)];
  return from === to ? from : `${from} – ${to.slice(0, 10) === from.slice(0, 10) ? to.slice(11) : to}`;
}

function findingRow(finding, index) {
  const row = picture.rows[finding.row];
  const made = element("tr");
  const kind = element("span", `kind ${finding.finding}`, kindWords(finding));
  const button = element("button", "", "Show");
  button.type = "button";
  button.addEventListener("click", () => showFinding(index));
  const what = element("td");
  what.append(kind);
  const job = element("td", "job", nameOf(row));
  if (row.period) job.append(element("small", "", ` every ${spanWords(row.period * 1000)}`));
  const show = element("td");
  show.append(button);
  made.append(what, job, element("td", "", between(finding, localTime)), element("td", "utc", between(finding, utcTime)));
  made.append(element("td", "", finding.servers.join(", ") || "–"), show);
  return made;
}
