// Times and spans in words: the viewer's own time, and UTC beside it.
const pad = (number) => String(number).padStart(2, "0");
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

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

function spanWords(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${Math.round(seconds * 1000) / 1000} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([size]) => whole >= size);
  const [size, name] = UNITS[first];
  const rest = UNITS[first + 1] ? Math.floor((whole % size) / UNITS[first + 1][0]) : 0;
  return `${Math.floor(whole / size)} ${name}${rest > 0 ? ` ${rest} ${UNITS[first + 1][1]}` : ""}`;
}

function kindWords(finding) {
  if (finding.finding === "twice") return finding.ticks > 1 ? `${finding.ticks} ticks ran twice` : "ran twice";
  if (finding.finding === "nowhere") return finding.ticks > 1 ? `${finding.ticks} ticks ran nowhere` : "ran nowhere";
  return finding.till === UNTIL ? "has not run since" : "did not run for";
}

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// An element with text; text never becomes markup.
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
