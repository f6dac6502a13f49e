// The box with the details of one run, beside the pointer or the bar.
const details = document.getElementById("details");
// Characters.
const LONGEST_COMMAND = 700;
// Pixels between the box and the pointer, and between the box and the window's edge.
const POINTER_GAP = 16;
const EDGE_GAP = 8;

// Each row is a name, a text and a class.
function detailRows(run) {
  const command = run.command.length > LONGEST_COMMAND ? `${run.command.slice(0, LONGEST_COMMAND)}…` : run.command;
  const user = run.user === null ? String(run.uid) : `${run.user} (${run.uid})`;
  const list = [
    ["Command", command, "command"],
    ["Server", `${timeline.servers[serverIndex.get(run.server)].letter} ${run.server}`],
    ["User", user],
    ["Started", localTime(run.start)],
    ["", utcTime(run.start), "utc"],
  ];
  if (run.ended) list.push(["Ended", localTime(run.end)], ["", utcTime(run.end), "utc"]);
  if (run.duration !== null) list.push([run.ended ? "Lasted" : "Lasts for", durationWords(run.duration * 1000)]);
  if (hasClusters) list.push(["Cluster", run.row.cluster]);
  list.push([run.number > 1 ? "First run" : "Run", run.run, "id"]);
  return list;
}

function fillDetails(run, others) {
  const bad = run.status === "fail" || run.status === "interrupted";
  const list = element("dl");
  for (const [name, text, className] of detailRows(run)) list.append(element("dt", "", name), element("dd", className, text));
  const parts = [element("h3", "", run.row.label), element("p", bad ? "how bad" : "how", run.how)];
  if (run.findings.length > 0) parts.push(element("p", "warn", `This tick ran on ${run.findings[0].servers.join(" and ")}`));
  parts.push(list);
  if (others > 0) parts.push(element("p", "more", `and ${count(others, "more run")} here: zoom in`));
  details.replaceChildren(...parts);
}

function showDetails(run, left, top, others = 0) {
  fillDetails(run, others);
  details.hidden = false;
  const box = details.getBoundingClientRect();
  // To the right of the pointer and below it, unless the window ends there.
  const hasRoomRight = left + POINTER_GAP + box.width < innerWidth - EDGE_GAP;
  const hasRoomBelow = top + POINTER_GAP + box.height < innerHeight - EDGE_GAP;
  const x = hasRoomRight ? left + POINTER_GAP : Math.max(EDGE_GAP, left - POINTER_GAP - box.width);
  const y = hasRoomBelow ? top + POINTER_GAP : Math.max(EDGE_GAP, Math.min(top, innerHeight) - POINTER_GAP - box.height);
  details.style.left = `${Math.min(x, Math.max(EDGE_GAP, innerWidth - box.width - EDGE_GAP))}px`;
  details.style.top = `${y}px`;
}

function hideDetails() {
  details.hidden = true;
}

// The runs at a point of the plot, the nearest last.
function runsAt(left, top) {
  const row = timeline.rows.find((each) => top >= each.top && top < each.top + each.height);
  if (!row) return [];
  const lane = Math.floor((top - laneTop(row, 0) + (LANE_HEIGHT - BAR_HEIGHT) / 2) / LANE_HEIGHT);
  const hits = [];
  for (const run of row.runs) {
    const from = xOf(run.start);
    const to = Math.max(xOf(run.end), from + MIN_WIDTH);
    if (run.lane === lane && left >= from - 3 && left <= to + 3) hits.push(run);
  }
  const distance = (run) => Math.abs(left - Math.min(Math.max(left, xOf(run.start)), xOf(run.end)));
  return hits.sort((a, b) => distance(b) - distance(a) || a.start - b.start);
}
