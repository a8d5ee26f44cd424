// The scatter chart with axes of one's choice. As it stands in the page it is gnuplot's; other axes
// are drawn here, in the same frame.

const FRAME = { left: 82, right: 20, top: 36, bottom: 52 };
const MOST_NAMED = 24, NAME_WIDTH = 7.2;

function decadesOf(view, column) {
  const amounts = view.rows.map((row) => Number(row[column])).filter((n) => n > 0);
  if (!amounts.length) return [0, 1];
  const low = Math.floor(Math.log10(Math.min(...amounts)) + 1e-9);
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...amounts)) - 1e-9))];
}

function logAxis(view, column, from, to) {
  const [low, high] = decadesOf(view, column);
  const place = (n) => (n > 0 ? from + (Math.log10(n) - low) / (high - low) * (to - from) : from);
  const ticks = [];
  for (let e = low; e <= high; e++) ticks.push([place(10 ** e), formatNumber(10 ** e,
    view.columns[column].unit).replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "")]);
  return { place, ticks };
}

function axisMarks(x, y, [width, height], view, xColumn, yColumn) {
  const left = FRAME.left, right = width - FRAME.right, bottom = height - FRAME.bottom;
  const line = (x1, y1, x2, y2, color) => svg("line", { x1, y1, x2, y2, stroke: `var(--c-${color})` });
  const text = (tx, ty, anchor, content, strong) => svg("text", { x: tx, y: ty, "text-anchor": anchor,
    "font-size": 13, fill: `var(--c-${strong ? "text" : "muted"})`,
    "font-weight": strong ? 600 : 400, "aria-hidden": "true" }, content);
  return [
    ...x.ticks.flatMap(([at, name]) => [line(at, FRAME.top, at, bottom, "grid"),
      text(at, bottom + 20, "middle", name)]),
    ...y.ticks.flatMap(([at, name]) => [line(left, at, right, at, "grid"),
      text(left - 8, at + 4, "end", name)]),
    line(left, FRAME.top, left, bottom, "axis"), line(left, bottom, right, bottom, "axis"),
    text(left, FRAME.top - 12, "start", view.columns[yColumn].title, true),
    text(right, height - 8, "end", view.columns[xColumn].title, true)];
}

function pointMarks(view, x, y, xColumn, yColumn, right) {
  const shapes = [], marks = [], taken = [];
  view.rows.forEach((row, i) => {
    const cx = x.place(Number(row[xColumn])), cy = y.place(Number(row[yColumn]));
    const name = String(row[0]), width = name.length * NAME_WIDTH;
    shapes.push(svg("circle", { cx, cy, r: 6, fill: "var(--s1)" }));
    const from = cx + 10 + width > right ? cx - 10 - width : cx + 10;
    const free = taken.every(([a, b, at]) => from > b || from + width < a || Math.abs(at - cy) > 13);
    if (i < MOST_NAMED && free) {
      taken.push([from, from + width, cy]);
      shapes.push(svg("text", { x: from, y: cy + 4, "font-size": 13, fill: "var(--c-text)",
        "aria-hidden": "true" }, name));
    }
    const told = [name, ...view.columns.slice(1).map((c, k) =>
      `${c.title} ${formatCell(row[k + 1], c)}`)].join("\n");
    marks.push([cx - 9, cy - 9, 18, 18, told, view.columns[0].role, name]);
  });
  return [shapes, marks];
}

function drawScatter(chart, view, xColumn, yColumn) {
  const [width, height] = view.size;
  const x = logAxis(view, xColumn, FRAME.left + 12, width - FRAME.right - 12);
  const y = logAxis(view, yColumn, height - FRAME.bottom - 12, FRAME.top + 12);
  const [shapes, marks] = pointMarks(view, x, y, xColumn, yColumn, width - FRAME.right);
  chart.replaceChildren(...axisMarks(x, y, view.size, view, xColumn, yColumn), ...shapes);
  addHits(chart, marks);
}

function axisSelect(label, view, selected, changed) {
  const select = el("select", { "aria-label": label });
  view.columns.forEach((column, i) => {
    if (i > 0) select.append(el("option", { value: i, selected: i === selected }, column.title));
  });
  select.addEventListener("change", () => changed(Number(select.value)));
  return el("label", {}, `${label} `, select);
}

function makeScatter(view, card) {
  const chart = makeChart(view, card);
  let { x, y } = view;
  const redraw = () => drawScatter(chart, view, x, y);
  card.querySelector("header .tools").prepend(
    axisSelect("Across", view, x, (i) => { x = i; redraw(); }),
    axisSelect("Up", view, y, (i) => { y = i; redraw(); }));
}
