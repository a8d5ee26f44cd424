// The map: colored by a metric, moved and zoomed, countries told and opened.

const ZOOM_STEP = 1.4, ZOOM_MOST = 16;

function partsOf(chart) {
  const parts = new Map();
  for (const part of chart.querySelectorAll("[data-part]")) {
    const list = parts.get(part.dataset.part) || [];
    list.push(part);
    parts.set(part.dataset.part, list);
  }
  return parts;
}

// The view box as what is seen: zoomed about a point, moved, kept inside the whole.
function makeZoom(chart, [width, height]) {
  const box = { x: 0, y: 0, scale: 1 };
  function show() {
    const w = width / box.scale, h = height / box.scale;
    box.x = Math.max(0, Math.min(width - w, box.x));
    box.y = Math.max(0, Math.min(height - h, box.y));
    chart.setAttribute("viewBox", `${box.x} ${box.y} ${w} ${h}`);
    chart.style.setProperty("--zoom", box.scale);
  }
  function toChart(clientX, clientY) {
    const seen = chart.getBoundingClientRect();
    return [box.x + (clientX - seen.left) / seen.width * width / box.scale,
      box.y + (clientY - seen.top) / seen.height * height / box.scale];
  }
  function zoom(factor, x = box.x + width / box.scale / 2, y = box.y + height / box.scale / 2) {
    const scale = Math.max(1, Math.min(ZOOM_MOST, box.scale * factor));
    box.x = x - (x - box.x) * box.scale / scale;
    box.y = y - (y - box.y) * box.scale / scale;
    box.scale = scale;
    show();
  }
  function move(dx, dy) {
    box.x += dx;
    box.y += dy;
    show();
  }
  function reset() {
    Object.assign(box, { x: 0, y: 0, scale: 1 });
    show();
  }
  return { box, zoom, move, reset, toChart };
}

// Returns a function that says whether the pointer was dragged since it went down.
function listenForDrags(chart, zoom) {
  let from = null, dragged = false;
  chart.addEventListener("pointerdown", (event) => {
    from = zoom.toChart(event.clientX, event.clientY);
    dragged = false;
  });
  chart.addEventListener("pointermove", (event) => {
    if (!from || !(event.buttons & 1) || zoom.box.scale === 1) return;
    const [x, y] = zoom.toChart(event.clientX, event.clientY);
    dragged = true;
    hideTip();
    zoom.move(from[0] - x, from[1] - y);
  });
  window.addEventListener("pointerup", () => { from = null; });
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && zoom.box.scale === 1) return;
    event.preventDefault();
    zoom.zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP,
      ...zoom.toChart(event.clientX, event.clientY));
  }, { passive: false });
  return () => dragged;
}

function zoomButtons(zoom) {
  const button = (text, label, run) => el("button", { type: "button", "aria-label": label,
    title: label, onclick: run }, text);
  return el("div", { class: "zoom" }, button("+", "Zoom in", () => zoom.zoom(ZOOM_STEP)),
    button("−", "Zoom out", () => zoom.zoom(1 / ZOOM_STEP)),
    button("⌂", "Whole map", () => zoom.reset()));
}

// + and - zoom, arrows with shift move.
function keysOfMap(event, zoom) {
  const by = 60 / zoom.box.scale;
  const keys = { "+": () => zoom.zoom(ZOOM_STEP), "=": () => zoom.zoom(ZOOM_STEP),
    "-": () => zoom.zoom(1 / ZOOM_STEP), 0: () => zoom.reset() };
  const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by],
    ArrowDown: [0, by] };
  if (event.shiftKey && moves[event.key]) zoom.move(...moves[event.key]);
  else if (keys[event.key]) keys[event.key]();
  else return false;
  event.preventDefault();
  return true;
}

function shareOf(row, column, totals) {
  return totals[column] > 0 ? row[column] / totals[column] * 100 : 0;
}

// Sent to received as one bar of two parts.
function sentBar(sent, received) {
  const whole = sent + received;
  const part = el("span", { class: "part" });
  part.style.width = whole > 0 ? `${sent / whole * 100}%` : "0";
  const percent = whole > 0 ? formatNumber(sent / whole * 100, "%") : "–";
  return el("div", { class: "sentbar", role: "img",
    "aria-label": `sent ${percent} of sent and received` }, part);
}

function listOf(title, viewName, code, role) {
  const view = views.get(viewName);
  if (!view) return null;
  const rows = view.rows.filter((row) => row[0] === code);
  const items = rows.map((row) => el("li", {}, el("button", { type: "button", class: "link",
    onclick: () => pick(role, row[1]) }, String(row[1])), " ",
  formatNumber(row[2], view.columns[2].unit)));
  const none = el("p", { class: "note" }, "none among the largest");
  return el("div", {}, el("h4", {}, title), items.length ? el("ul", {}, ...items) : none);
}

function countryPane(view, row, totals) {
  const at = Object.fromEntries(view.columns.map((c, i) => [c.name, i]));
  const amounts = view.columns.map((column, i) => (i < 2 ? null : el("div", {},
    el("dt", {}, column.title), el("dd", {}, formatNumber(row[i], column.unit), " ",
      el("small", {}, formatNumber(shareOf(row, i, totals), "%"))))));
  const parts = [el("h4", { class: "country" }, countryName(row[0])),
    el("dl", {}, ...amounts.filter(Boolean))];
  if (at.sent && at.received) {
    parts.push(el("p", { class: "label" }, `Sent ${formatNumber(row[at.sent], "bytes")}, received `
      + formatNumber(row[at.received], "bytes")), sentBar(row[at.sent], row[at.received]));
  }
  parts.push(listOf("Addresses", "addresses_of_countries", row[0], "address"),
    listOf("Services", "services_of_countries", row[0], "service"),
    views.has("flows") ? el("button", { type: "button", class: "primary",
      onclick: () => pick("country", row[0], countryName(row[0])) }, "Show its flows") : null);
  return parts.filter(Boolean);
}

/** The map of a view in its card. */
function makeMap(view, card) {
  const chart = makeChart(view, card), parts = partsOf(chart);
  const zoom = makeZoom(chart, view.size), dragged = listenForDrags(chart, zoom);
  const rows = view.rows.filter((row) => parts.has(row[0]));
  const pane = el("aside", { class: "pane", "aria-live": "polite", "aria-label": "Country" });
  const list = el("ol", { class: "ranking", "aria-label": "Countries" });
  const scale = el("div", {});
  const metrics = view.columns.slice(2);
  const totals = view.columns.map((_, i) => view.rows.reduce((sum, row) => sum
    + (Number(row[i]) || 0), 0));
  if (view.whole) totals[2] = view.whole;
  let metric = 2, opened = null;
  const text = (row) => [countryName(row[0]), ...view.columns.slice(2).map((c, i) =>
    `${c.title} ${formatNumber(row[i + 2], c.unit)}, ${formatNumber(shareOf(row, i + 2, totals), "%")}`)].join("\n");

  function open(row) {
    for (const part of chart.querySelectorAll(".chosen")) part.classList.remove("chosen");
    for (const part of parts.get(row[0]) || []) part.classList.add("chosen");
    pane.replaceChildren(...countryPane(view, row, totals));
    opened = row;
  }
  function color() {
    const amounts = rows.map((row) => row[metric]).filter((n) => n > 0);
    const low = Math.min(...amounts), high = Math.max(...amounts);
    for (const row of rows) {
      for (const part of parts.get(row[0])) {
        if (row[metric] > 0) {
          part.style.setProperty("--c", scaleColor(logShare(row[metric], low, high)));
        } else part.style.removeProperty("--c");
      }
    }
    scale.replaceChildren(amounts.length ? scaleBar(low, high, view.columns[metric])
      : el("p", { class: "scale" }, "No traffic of any country"));
    rank();
  }
  function rank() {
    const sorted = [...view.rows].sort((a, b) => b[metric] - a[metric]);
    const most = sorted.length ? sorted[0][metric] : 0;
    list.replaceChildren(...sorted.slice(0, 12).map((row) => {
      const bar = el("span", { class: "bar" });
      bar.style.width = most > 0 ? `${row[metric] / most * 100}%` : "0";
      return el("li", {}, el("button", { type: "button", "data-country": row[0],
        onclick: () => open(row) }, el("span", {}, countryName(row[0])),
      el("span", { class: "amount" }, formatNumber(row[metric], view.columns[metric].unit)), bar));
    }));
  }
  const shapes = rows.sort((a, b) => b[2] - a[2]).map((row, i) => {
    const list2 = parts.get(row[0]), shape = list2[list2.length - 1];
    for (const part of list2) {
      part.classList.add("land");
      part.addEventListener("pointermove", (e) => showTip(text(row), e.clientX, e.clientY));
      part.addEventListener("pointerleave", hideTip);
      part.addEventListener("click", () => { if (!dragged()) open(row); });
    }
    shape.setAttribute("role", "button");
    shape.setAttribute("tabindex", i ? "-1" : "0");
    shape.setAttribute("aria-label", text(row).replace(/\n/g, ", "));
    shape.addEventListener("focus", () => tipAt(shape, text(row)));
    shape.addEventListener("blur", hideTip);
    return shape;
  });
  chart.addEventListener("keydown", (event) => {
    if (keysOfMap(event, zoom)) return;
    moveFocus(event, shapes, shapes.indexOf(event.target), (i) => open(rows[i]));
  });
  const figure = card.querySelector("figure");
  figure.append(zoomButtons(zoom));
  figure.after(scale, el("div", { class: "beside" }, list, pane));
  const chosen = (i) => {
    metric = i + 2;
    color();
  };
  card.querySelector("header").after(choice("Color by", metrics.map((m) => m.title), chosen));
  color();
  if (view.rows.length) open([...view.rows].sort((a, b) => b[2] - a[2])
    .find((row) => parts.has(row[0])) || view.rows[0]);
  themeListeners.push(() => {
    color();
    if (opened) open(opened);
  });
}
