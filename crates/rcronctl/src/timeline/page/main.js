// The pointer, and the start.
let drag = null;

function place(event) {
  const box = plot.getBoundingClientRect();
  return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
}

plot.addEventListener("wheel", (event) => {
  const unit = event.deltaMode === 1 ? 33 : 1;
  const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  // All is in view: the wheel belongs to the page.
  if (isWhole() && (isSideways || event.deltaY > 0)) return;
  event.preventDefault();
  if (isSideways) return void pan(((event.deltaX || event.deltaY) * unit) / width);
  hideDetails();
  zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY * unit)) * 0.002), place(event)[0]);
}, { passive: false });

plot.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  drag = { x: event.clientX, from: view.from, to: view.to };
  plot.setPointerCapture(event.pointerId);
});

plot.addEventListener("pointermove", (event) => {
  if (drag) {
    const by = ((drag.x - event.clientX) / width) * (drag.to - drag.from);
    if (Math.abs(drag.x - event.clientX) > 2) {
      plot.classList.add("dragged");
      hideDetails();
    }
    return setView(drag.from + by, drag.to + by);
  }
  const hits = runsAt(...place(event));
  if (hits.length > 0) return showDetails(hits[hits.length - 1], event.clientX, event.clientY, hits.length - 1);
  return hideDetails();
});

plot.addEventListener("pointerup", (event) => {
  const isClick = drag && Math.abs(drag.x - event.clientX) <= 2;
  drag = null;
  plot.classList.remove("dragged");
  if (!isClick) return;
  const hits = runsAt(...place(event));
  if (hits.length > 0) select(hits[hits.length - 1]);
  else unselect();
});
plot.addEventListener("pointercancel", () => {
  drag = null;
  plot.classList.remove("dragged");
});
plot.addEventListener("pointerleave", () => {
  if (!drag && !selected) hideDetails();
});

document.getElementById("in").addEventListener("click", () => zoom(0.5));
document.getElementById("out").addEventListener("click", () => zoom(2));
document.getElementById("reset").addEventListener("click", () => setView(SINCE, UNTIL));
addEventListener("resize", redraw);
addEventListener("scroll", redraw, { passive: true });
addEventListener("beforeprint", draw);

const zone = zoneName();
const inUtc = zone === "UTC" ? "" : `; ${utcTime(SINCE)} to ${utcTime(UNTIL)}`;
document.getElementById("window").textContent = `${localTime(SINCE)} to ${localTime(UNTIL)} (${zone}${inUtc})`;
addFigures();
addServers();
addLabels();
addMarks();
addFindings();
draw();
document.documentElement.dataset.isDrawn = "yes";
