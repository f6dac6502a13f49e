// The shapes that the chart and its legend are made of.
const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Fill patterns: hatched for failed runs, dots for silences, comb teeth for many runs in one bar.
function patterns() {
  const made = svg("defs");
  const hatch = svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(svg("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 6 }));
  const dots = svg("pattern", { id: "dots", width: 7, height: 7, patternUnits: "userSpaceOnUse" });
  dots.append(svg("circle", { class: "dot", cx: 2, cy: 2, r: 1 }));
  const comb = svg("pattern", { id: "comb", width: 4, height: 18, patternUnits: "userSpaceOnUse" });
  comb.append(svg("rect", { class: "tooth", x: 3, y: 0, width: 1, height: 18 }));
  made.append(hatch, dots, comb);
  return made;
}

// The outline of a bar: rounded; with a point if the run is still running, with a torn edge if it was interrupted.
function outline(bar, top) {
  const { from, to } = bar;
  if (bar.status === "running" && to - from > 8) {
    return `M${from} ${top}H${to - 7}L${to} ${top + BAR_HEIGHT / 2}L${to - 7} ${top + BAR_HEIGHT}H${from}Z`;
  }
  if (bar.status === "interrupted") {
    const tooth = BAR_HEIGHT / 4;
    return `M${from} ${top}H${to}l-4 ${tooth}l4 ${tooth}l-4 ${tooth}l4 ${tooth}H${from}Z`;
  }
  const r = Math.min(3, (to - from) / 2);
  const side = BAR_HEIGHT - 2 * r;
  const corner = (dx, dy) => `a${r} ${r} 0 0 1 ${dx * r} ${dy * r}`;
  return `M${from + r} ${top}H${to - r}${corner(1, 1)}v${side}${corner(-1, 1)}H${from + r}${corner(-1, -1)}v-${side}${corner(1, -1)}Z`;
}

// A round sign that says what went wrong.
function badge(x, y, mark, className) {
  const made = svg("g", { class: `badge ${className}`, transform: `translate(${x} ${y})` });
  made.append(svg("circle", { r: 6.5 }), svg("text", { y: 3.4 }, mark));
  return made;
}
