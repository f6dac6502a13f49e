// The details of one run, beside the pointer or the bar.
const details = document.getElementById("details");
const MOST_COMMAND = 700;

function facts(run) {
  const command = run.command.length > MOST_COMMAND ? `${run.command.slice(0, MOST_COMMAND)}…` : run.command;
  const user = run.user === null ? String(run.uid) : `${run.user} (${run.uid})`;
  const list = [
    ["Command", command, "command"],
    ["Server", `${picture.servers[serverOf.get(run.server)].letter} ${run.server}`],
    ["User", user],
    ["Started", localTime(run.at)],
    ["", utcTime(run.at), "utc"],
  ];
  if (run.ended) list.push(["Ended", localTime(run.to)], ["", utcTime(run.to), "utc"]);
  if (run.duration !== null) list.push([run.ended ? "Lasted" : "Lasts for", spanWords(run.duration * 1000)]);
  if (hasClusters) list.push(["Cluster", run.row.cluster]);
  list.push(["Run", run.run, "id"]);
  return list;
}

function fill(run, others) {
  const bad = run.status === "fail" || run.status === "interrupted";
  const list = element("dl");
  for (const [name, text, className] of facts(run)) list.append(element("dt", "", name), element("dd", className, text));
  const parts = [element("h3", "", run.row.label), element("p", bad ? "how bad" : "how", run.how)];
  if (run.findings.length > 0) parts.push(element("p", "warn", `This tick ran on ${run.findings[0].servers.join(" and ")}`));
  parts.push(list);
  if (others > 0) parts.push(element("p", "more", `and ${count(others, "more run")} at this place: zoom in`));
  details.replaceChildren(...parts);
}

function showDetails(run, left, top, others = 0) {
  fill(run, others);
  details.hidden = false;
  const box = details.getBoundingClientRect();
  const right = left + 16 + box.width < innerWidth - 8 ? left + 16 : Math.max(8, left - 16 - box.width);
  const below = top + 16 + box.height < innerHeight - 8 ? top + 16 : Math.max(8, Math.min(top, innerHeight) - 16 - box.height);
  details.style.left = `${Math.min(right, Math.max(8, innerWidth - box.width - 8))}px`;
  details.style.top = `${below}px`;
}

function hideDetails() {
  details.hidden = true;
}

// The runs under a point of the plot, the nearest last.
function runsAt(left, top) {
  const row = picture.rows.find((each) => top >= each.top && top < each.top + each.height);
  if (!row) return [];
  const lane = Math.floor((top - laneTop(row, 0) + (LANE - BAR) / 2) / LANE);
  const hits = [];
  for (const run of row.runs) {
    const from = x(run.at);
    const to = Math.max(x(run.to), from + LEAST);
    if (run.lane === lane && left >= from - 3 && left <= to + 3) hits.push(run);
  }
  const distance = (run) => Math.abs(left - Math.min(Math.max(left, x(run.at)), x(run.to)));
  return hits.sort((a, b) => distance(b) - distance(a) || a.at - b.at);
}
