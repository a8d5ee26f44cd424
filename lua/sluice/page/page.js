// Puts the page together: what a view becomes, the switch of themes, the list of picks, where one is.

const themeListeners = [];

function makeTheme() {
  const button = document.getElementById("theme");
  function show() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-pressed", String(isDark()));
    for (const listener of themeListeners) listener();
  }
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    show();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}

function showPicks() {
  const bar = document.getElementById("filters");
  const chips = [...picked].map(([role, { label }]) => el("button", { type: "button",
    class: "chip", "aria-label": `Remove filter ${ROLE_NAMES[role] || role} ${label}`,
    onclick: () => pick(role, null) }, `${ROLE_NAMES[role] || role}: ${label} `,
  el("span", { "aria-hidden": "true" }, "×")));
  bar.hidden = chips.length === 0;
  bar.replaceChildren("Flows: ", ...chips, el("a", { href: "#flows" }, "show the table"));
}

// A click on a cell of any table narrows the flows.
function listenForPicks() {
  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".pick");
    if (cell) pick(cell.dataset.role, cell.dataset.key, cell.dataset.role === "country"
      ? countryName(cell.dataset.key) : undefined);
  });
}

function followSections() {
  const links = new Map([...document.querySelectorAll("header nav a")].map((a) =>
    [a.getAttribute("href").slice(1), a]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const a of links.values()) a.removeAttribute("aria-current");
      const link = links.get(entry.target.id);
      if (link) link.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);
}

const MAKERS = { map: makeMap, heatmap: makeHeatmap, scatter: makeScatter };

function makeCard(card) {
  const view = views.get(card.dataset.view);
  const place = card.querySelector(":scope > .table");
  if (place && view.name === "flows") makeFlows(view, place, card.querySelector(".tools"));
  else if (place) makeTable(view, place, card.querySelector(".tools"));
  else if (view.kind in MAKERS && view.marks) MAKERS[view.kind](view, card);
  else if (view.marks) makeChart(view, card);
}

for (const card of document.querySelectorAll("[data-view]")) makeCard(card);
makeTheme();
listenForPicks();
followSections();
if (views.has("flows")) listeners.push(showPicks);
document.documentElement.dataset.ready = "true";
