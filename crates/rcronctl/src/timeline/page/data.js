"use strict";
// The data that rcronctl wrote into the page, with times as milliseconds since 1970.
const timeline = JSON.parse(document.getElementById("data").textContent);
const SINCE = Date.parse(timeline.since);
const UNTIL = Date.parse(timeline.until);
const serverIndex = new Map(timeline.servers.map((server, index) => [server.name, index]));
const runById = new Map();

// The end as far as it is known. If none was recorded, it is the start.
function endOf(run) {
  if (run.ended) return Math.max(run.start, Date.parse(run.ended));
  return run.status === "running" || run.status === "unwatched" ? Math.max(run.start, UNTIL) : run.start;
}

for (const row of timeline.rows) {
  // One lane for each server that ran the job.
  row.lanes = [...new Set(row.runs.map((run) => serverIndex.get(run.server)))].sort((a, b) => a - b);
  row.runs.forEach((run, index) => {
    run.row = row;
    run.index = index;
    run.start = Date.parse(run.started);
    run.end = endOf(run);
    run.lane = row.lanes.indexOf(serverIndex.get(run.server));
    run.findings = [];
    // A bar can stand for several runs.
    run.number = run.runs ?? 1;
    runById.set(run.run, run);
  });
}
for (const finding of timeline.findings) {
  finding.start = Date.parse(finding.from);
  finding.end = Date.parse(finding.to);
  for (const id of finding.runs) runById.get(id)?.findings.push(finding);
}
const hasClusters = new Set(timeline.rows.map((row) => row.cluster)).size > 1;

function nameOf(row) {
  return hasClusters ? `${row.cluster}: ${row.label}` : row.label;
}
