// Times and durations in words. Local times are those of the viewer.
const pad = (number) => String(number).padStart(2, "0");
// Units with the next smaller one, in seconds.
const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

function dayOf(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function clockOf(time, withSeconds = true) {
  const date = new Date(time);
  const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return withSeconds ? `${minute}:${pad(date.getSeconds())}` : minute;
}

const localTime = (time) => `${dayOf(time)} ${clockOf(time)}`;
const utcTime = (time) => new Date(time).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");

function zoneName() {
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(UNTIL);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "local time";
}

// Seconds with a fraction below a minute, then the two largest units, as rcronctl prints durations.
function durationWords(milliseconds) {
  const seconds = milliseconds / 1000;
  const shown = Number(seconds.toFixed(seconds < 1 ? 3 : 1));
  if (shown < 60) return `${shown} s`;
  const whole = Math.round(seconds);
  const [size, name, smaller, smallerName] = UNITS.find(([least]) => whole >= least);
  const rest = Math.floor((whole % size) / smaller);
  return `${Math.floor(whole / size)} ${name}${rest > 0 ? ` ${rest} ${smallerName}` : ""}`;
}

// To the second, because no job starts more exactly.
const periodWords = (row) => `every ${durationWords(Math.round(row.period) * 1000)}`;

function kindWords(finding) {
  if (finding.finding === "twice") return finding.ticks > 1 ? `${finding.ticks} ticks ran twice` : "ran twice";
  if (finding.finding === "nowhere") return finding.ticks > 1 ? `${finding.ticks} ticks ran nowhere` : "ran nowhere";
  if (finding.finding === "missed") return finding.ticks > 1 ? `${finding.ticks} ticks missed` : "missed";
  return finding.end === UNTIL ? "has not run since" : "did not run for";
}

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// An element with text, which is never parsed as markup.
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
