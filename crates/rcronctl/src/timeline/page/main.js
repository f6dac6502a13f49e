// Buttons and window events; then the page is filled and drawn.
document.getElementById("in").addEventListener("click", () => zoom(0.5));
document.getElementById("out").addEventListener("click", () => zoom(2));
document.getElementById("reset").addEventListener("click", () => setView(SINCE, UNTIL));
addEventListener("resize", requestDraw);
addEventListener("scroll", requestDraw, { passive: true });
addEventListener("beforeprint", draw);
// The timeline moves: other rows are near the window.
document.getElementById("findings-card").addEventListener("toggle", requestDraw);

const zone = zoneName();
const inUtc = zone === "UTC" ? "" : `; ${utcTime(SINCE)} to ${utcTime(UNTIL)}`;
document.getElementById("window").textContent = `${localTime(SINCE)} to ${localTime(UNTIL)} (${zone}${inUtc})`;
addTitle();
addFigures();
addJoined();
addServers();
addLabels();
addMarks();
addFindings();
draw();
document.documentElement.dataset.isDrawn = "yes";
