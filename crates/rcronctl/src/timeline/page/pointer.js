// What the pointer and the wheel do.
// While the button is down: where it was pressed, and what was in view then.
let drag = null;
// Pixels; a shorter movement is a click.
const SHORTEST_DRAG = 2;
// Pixels, for a wheel that counts in lines.
const LINE = 33;

// The position in the plot.
function positionOf(event) {
  const box = plot.getBoundingClientRect();
  return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
}

function endDrag() {
  drag = null;
  plot.classList.remove("dragged");
}

plot.addEventListener("wheel", (event) => {
  const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
  const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  // If the whole time is in view, the wheel scrolls the page.
  if (showsAll() && (isSideways || event.deltaY > 0)) return;
  event.preventDefault();
  if (isSideways) return void pan(((event.deltaX || event.deltaY) * unit) / width);
  hideDetails();
  zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY * unit)) * 0.002), positionOf(event)[0]);
}, { passive: false });

plot.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  drag = { x: event.clientX, from: view.from, to: view.to };
  plot.setPointerCapture(event.pointerId);
});

plot.addEventListener("pointermove", (event) => {
  if (drag) {
    const by = ((drag.x - event.clientX) / width) * (drag.to - drag.from);
    if (Math.abs(drag.x - event.clientX) > SHORTEST_DRAG) {
      plot.classList.add("dragged");
      hideDetails();
    }
    return setView(drag.from + by, drag.to + by);
  }
  const hits = runsAt(...positionOf(event));
  if (hits.length > 0) return showDetails(hits.at(-1), event.clientX, event.clientY, hits.length - 1);
  return hideDetails();
});

plot.addEventListener("pointerup", (event) => {
  const isClick = drag && Math.abs(drag.x - event.clientX) <= SHORTEST_DRAG;
  endDrag();
  if (!isClick) return;
  const hits = runsAt(...positionOf(event));
  if (hits.length > 0) select(hits.at(-1));
  else unselect();
});
plot.addEventListener("pointercancel", endDrag);
plot.addEventListener("pointerleave", () => {
  if (!drag && !selected) hideDetails();
});
