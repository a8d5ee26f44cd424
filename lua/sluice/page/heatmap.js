// Heat maps: colored by a metric of one's choice. That of hours opens an hour in five-minute detail.

function cellKeys(view) {
  const y = new Map(view.y.map((label, i) => [label, i + 1]));
  const x = new Map(view.x.map((label, i) => [label, i + 1]));
  return new Map(view.rows.map((row) => [`c${y.get(row[0])}-${x.get(row[1])}`, row]));
}

// Columns of one metric over an hour, with what each of the twelve held.
function fineChart(view, rows, column, from) {
  const width = 1120, height = 190, foot = 24, step = width / 12;
  const most = Math.max(...rows.map((row) => row[column]), 0);
  const shapes = [];
  const marks = rows.map((row) => {
    const i = Math.round((Number(row[0]) - from) / 300);
    const tall = most > 0 ? Math.max(row[column] > 0 ? 1 : 0, row[column] / most
      * (height - foot - 8)) : 0;
    shapes.push(svg("rect", { x: i * step + 2, y: height - foot - tall, width: step - 4,
      height: tall, fill: "var(--s1)" }));
    return [i * step, 0, step, height - foot, view.columns.map((c, k) =>
      `${k ? c.title + " " : ""}${formatCell(row[k], c)}`).join("\n"), null, null];
  });
  for (let i = 0; i < 12; i++) {
    shapes.push(svg("text", { x: i * step + step / 2, y: height - 6, "text-anchor": "middle",
      "font-size": 12, fill: "var(--c-muted)", "aria-hidden": "true" },
    `:${String(i * 5).padStart(2, "0")}`));
  }
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "group",
    "aria-label": "Five minutes" }, ...shapes);
  addHits(chart, marks);
  return chart;
}

function servicesOf(from) {
  const view = views.get("services_of_hours");
  const rows = view ? view.rows.filter((row) => Number(row[0]) === from) : [];
  return rows.map((row) => el("li", {}, el("button", { type: "button", class: "link",
    onclick: () => pick("service", row[1]) }, row[1]), " ",
  formatNumber(row[2], view.columns[2].unit)));
}

function hourPane(row, column, title) {
  const fine = views.get("five_minutes");
  const from = Date.parse(`${row[0]}T${row[1]}:00:00Z`) / 1000;
  const rows = fine.rows.filter((r) => Number(r[0]) >= from && Number(r[0]) < from + 3600);
  const services = servicesOf(from);
  return [el("h4", {}, `${row[0]} ${row[1]}:00 UTC, ${title.toLowerCase()} per five minutes`),
    fineChart(fine, rows, column, from),
    services.length ? el("ul", { class: "inline" }, ...services) : "",
    views.get("flows")?.rows.length ? el("button", { type: "button", class: "primary",
      onclick: () => pick("hour", from, `${row[0]} ${row[1]}:00`) }, "Show its flows") : ""];
}

function makeHeatmap(view, card) {
  const chart = makeChart(view, card), parts = partsOf(chart), cells = cellKeys(view);
  const pane = el("div", { class: "pane", "aria-live": "polite" }), scale = el("div", {});
  const metrics = view.columns.slice(2), hours = view.columns[0].name === "day";
  let metric = 2, opened = null;
  function color() {
    const amounts = view.rows.map((row) => Number(row[metric])).filter((n) => n > 0);
    const low = Math.min(...amounts), high = Math.max(...amounts);
    for (const [key, row] of cells) {
      for (const part of parts.get(key) || []) {
        const n = Number(row[metric]);
        part.style.setProperty("--c", n > 0 ? scaleColor(logShare(n, low, high)) : "var(--c-grid)");
      }
    }
    scale.replaceChildren(amounts.length ? scaleBar(low, high, view.columns[metric]) : "");
  }
  function open(row) {
    opened = row;
    if (hours && views.has("five_minutes")) {
      pane.replaceChildren(...hourPane(row, metric - 1, view.columns[metric].title));
    } else {
      pick(view.columns[0].role, row[0]);
      pick(view.columns[1].role, row[1], countryName(row[1]));
    }
  }
  chart.addEventListener("cell", (event) => open(cells.get(event.detail)));
  card.querySelector("figure").after(scale, pane);
  if (metrics.length > 1) {
    card.querySelector("header").after(choice("Color by", metrics.map((m) => m.title), (i) => {
      metric = i + 2;
      color();
      if (opened) open(opened);
    }));
  }
  color();
  if (hours && view.rows.length) {
    open(view.rows.reduce((best, row) => (row[2] > best[2] ? row : best)));
  }
  themeListeners.push(color);
}
