// Charts: what stands under the pointer or the arrow keys is told; legends hide and show series.

const tip = document.getElementById("tip");

function showTip(text, x, y) {
  tip.replaceChildren(...text.split("\n").map((line, i) => el(i ? "div" : "strong", {}, line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(x + 14, document.documentElement.clientWidth - box.width - 8);
  const top = y + 18 + box.height > window.innerHeight ? y - box.height - 12 : y + 18;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}

function hideTip() {
  tip.hidden = true;
}

function tipAt(element, text) {
  const box = element.getBoundingClientRect();
  showTip(text, box.left + box.width / 2, box.top + box.height / 2);
}

function toggleSeries(chart, key, hit) {
  const hidden = hit.getAttribute("aria-pressed") === "true";
  hit.setAttribute("aria-pressed", String(!hidden));
  for (const part of chart.querySelectorAll(`[data-part="${CSS.escape(key)}"]`)) {
    part.classList.toggle("off", !hidden);
  }
}

function act(chart, hit, mark) {
  const [, , , , text, role, key] = mark;
  if (role === "series") toggleSeries(chart, key, hit);
  else if (role === "cell") chart.dispatchEvent(new CustomEvent("cell", { detail: key }));
  else if (role && views.has("flows")) pick(role, key, text.split(/[:\n]/)[0]);
}

// Whether a mark of that role does something when it is clicked.
function acts(role) {
  return Boolean(role) && (role === "series" || role === "cell" || views.has("flows"));
}

// A rectangle that listens over each mark; one of them is a tab stop, arrow keys go on from there.
function addHits(chart, marks) {
  const layer = svg("g", { class: "hits" });
  const hits = marks.map((mark, i) => {
    const [x, y, width, height, text, role] = mark;
    const hit = svg("rect", { x, y, width, height, "aria-label": text.replace(/\n/g, ", "),
      role: acts(role) ? "button" : "img", tabindex: i ? "-1" : "0",
      class: acts(role) ? "hit act" : "hit" });
    if (role === "series") hit.setAttribute("aria-pressed", "false");
    return hit;
  });
  const at = (event) => hits.indexOf(event.target);
  layer.addEventListener("pointermove", (event) => {
    const i = at(event);
    if (i >= 0) showTip(marks[i][4], event.clientX, event.clientY);
  });
  layer.addEventListener("pointerleave", hideTip);
  layer.addEventListener("click", (event) => {
    const i = at(event);
    if (i >= 0) act(chart, hits[i], marks[i]);
  });
  layer.addEventListener("focusin", (event) => tipAt(event.target, marks[at(event)][4]));
  layer.addEventListener("focusout", hideTip);
  layer.addEventListener("keydown", (event) => moveFocus(event, hits, at(event),
    (i) => act(chart, hits[i], marks[i])));
  layer.append(...hits);
  chart.append(layer);
}

/** Arrow keys, Home and End among elements of which one is a tab stop; Enter and space act. */
function moveFocus(event, elements, i, run) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1,
    Home: -elements.length, End: elements.length };
  if (i < 0) return;
  if (event.key === "Enter" || event.key === " ") {
    run(i);
  } else if (event.key === "Escape") {
    hideTip();
  } else if (event.key in steps) {
    const to = Math.max(0, Math.min(elements.length - 1, i + steps[event.key]));
    elements[i].setAttribute("tabindex", "-1");
    elements[to].setAttribute("tabindex", "0");
    elements[to].focus();
  } else {
    return;
  }
  event.preventDefault();
}

/** The button that shows a chart's numbers as a table below it. */
function tableButton(view, card) {
  const place = el("div", { class: "table", hidden: true });
  const own = el("div", { class: "tools" });
  let made = false;
  const button = el("button", { type: "button", "aria-expanded": "false", onclick: () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    place.hidden = own.hidden = !open;
    if (!made) makeTable(view, place, own);
    made = true;
  } }, "Table");
  card.append(own, place);
  return button;
}

function makeChart(view, card) {
  const chart = card.querySelector("svg.chart");
  const tools = card.querySelector("header .tools");
  chart.setAttribute("role", "group");
  chart.setAttribute("aria-label", `${view.title}, chart`);
  chart.removeAttribute("aria-hidden");
  for (const text of chart.querySelectorAll("text")) text.setAttribute("aria-hidden", "true");
  addHits(chart, view.marks);
  tools.append(tableButton(view, card), csvButton(view, () => view.rows));
  return chart;
}

// ---- scales of color ----

function isDark() {
  const set = document.documentElement.dataset.theme;
  return set ? set === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The color of a share, 0 to 1, of a logarithmic scale. */
function scaleColor(share) {
  const at = isDark() ? 1 - share * 0.9 : share;
  return data.scale[Math.round(at * (data.scale.length - 1))];
}

function logShare(n, low, high) {
  return high > low ? Math.log(n / low) / Math.log(high / low) : 1;
}

/** A bar of the scale's colors between its least and its largest amount. */
function scaleBar(low, high, column) {
  const steps = [0, 0.25, 0.5, 0.75, 1].map(scaleColor);
  const bar = el("span", { class: "gradient", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${steps.join(", ")})`;
  return el("p", { class: "scale" }, `${column.title}: `, formatNumber(low, column.unit), bar,
    formatNumber(high, column.unit), el("small", {}, " logarithmic"));
}

/** Buttons of which one is chosen. choose(i) is called at once for the first. */
function choice(label, names, choose) {
  const group = el("div", { class: "choice", role: "radiogroup", "aria-label": label });
  const buttons = names.map((name, i) => el("button", { type: "button", role: "radio",
    "aria-checked": String(i === 0), tabindex: i ? "-1" : "0", onclick: () => set(i) }, name));
  function set(i) {
    buttons.forEach((b, k) => {
      b.setAttribute("aria-checked", String(k === i));
      b.setAttribute("tabindex", k === i ? "0" : "-1");
    });
    choose(i);
  }
  group.addEventListener("keydown", (event) => moveFocus(event, buttons,
    buttons.indexOf(event.target), set));
  group.append(...buttons);
  return group;
}
