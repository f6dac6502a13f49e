"use strict";
// What rcronctl wrote into the page, with the times as milliseconds.
const picture = JSON.parse(document.getElementById("data").textContent);
const SINCE = Date.parse(picture.since);
const UNTIL = Date.parse(picture.until);
const serverOf = new Map(picture.servers.map((server, index) => [server.name, index]));
const runById = new Map();

// The end, as far as it is known; where none was recorded the bar is a stub.
function endOf(run) {
  if (run.ended) return Math.max(run.at, Date.parse(run.ended));
  return run.status === "running" || run.status === "unwatched" ? Math.max(run.at, UNTIL) : run.at;
}

for (const row of picture.rows) {
  const servers = [...new Set(row.runs.map((run) => serverOf.get(run.server)))].sort((a, b) => a - b);
  row.lanes = servers;
  row.runs.forEach((run, index) => {
    run.row = row;
    run.index = index;
    run.at = Date.parse(run.started);
    run.to = endOf(run);
    run.lane = servers.indexOf(serverOf.get(run.server));
    run.findings = [];
    runById.set(run.run, run);
  });
}
for (const finding of picture.findings) {
  finding.at = Date.parse(finding.from);
  finding.till = Date.parse(finding.to);
  for (const id of finding.runs) runById.get(id)?.findings.push(finding);
}
const hasClusters = new Set(picture.rows.map((row) => row.cluster)).size > 1;

function nameOf(row) {
  return hasClusters ? `${row.cluster}: ${row.label}` : row.label;
}
