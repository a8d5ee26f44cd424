// Tables by the DataTables library: sorted, searched, filtered by column, paged, saved as CSV.

const SHORT = 12; // rows up to which a table needs no paging and no tools

function cellHtml(value, column) {
  if (column.type === "spark") return sparkHtml(value);
  const text = escapeHtml(formatCell(value, column));
  if (value === null || !column.role || column.role === "time" || !views.has("flows")) return text;
  const title = column.role === "country" ? ` title="${escapeHtml(countryName(value))}"` : "";
  return `<span class="pick" data-role="${column.role}" data-key="${escapeHtml(value)}"${title}>`
    + `${text}</span>`;
}

// A small chart of bars; its numbers are its text for who cannot see it.
function sparkHtml(values) {
  if (!values || !values.length) return "–";
  const max = Math.max(...values, 1), width = 100 / values.length;
  const bars = values.map((n, i) => (n > 0
    ? `<rect x="${(i * width).toFixed(2)}" y="${(20 - Math.max(1, n / max * 20)).toFixed(2)}"`
      + ` width="${(width * 0.85).toFixed(2)}" height="${Math.max(1, n / max * 20).toFixed(2)}"/>`
    : "")).join("");
  return `<svg class="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" role="img"`
    + ` aria-label="${values.join(", ")}">${bars}</svg>`;
}

function columnDefinition(column, i) {
  return {
    title: escapeHtml(column.title), data: i, visible: !column.minor, name: column.name,
    orderable: column.type !== "spark", className: isNumber(column) ? "number" : column.type || "",
    orderSequence: isNumber(column) ? ["desc", "asc"] : ["asc", "desc"],
    type: isNumber(column) || column.type === "time" ? "num" : "string",
    render: (value, type) => {
      if (type === "display") return cellHtml(value, column);
      if (type === "filter") return escapeHtml(formatCell(value, column));
      if (isNumber(column) || column.type === "time") {
        const n = numberOf(value, column);
        return n === null ? -Infinity : n;
      }
      return value === null ? "" : String(value);
    },
  };
}

// Spreadsheets take a cell that begins so for a formula (CWE-1236); numbers are none.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  let text = Array.isArray(value) ? JSON.stringify(value) : String(value);
  if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[\s",]/.test(text) ? `"${text.replace(/"/g, "\"\"")}"` : text;
}

/** The rows as CSV, with a line that says how many of how many these are. */
function csvOf(view, rows) {
  const lines = [`# ${view.title}: ${rows.length} of ${view.total}`.replace(/[\r\n]/g, " ")];
  lines.push(view.columns.map((c) => csvCell(c.name)).join(","));
  for (const row of rows) lines.push(view.columns.map((c, i) => csvCell(row[i])).join(","));
  return lines.join("\n") + "\n";
}

function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function csvButton(view, rows) {
  return el("button", { type: "button", class: "csv", title: "Save these rows as CSV",
    onclick: () => save(`${view.name.replace(/_/g, "-")}.csv`, csvOf(view, rows())) }, "CSV");
}

// "12 of 3209": what the page holds of what there was, and what the filters leave of it.
function told(view, shown) {
  const held = view.rows.length;
  if (shown < held) return `${shown} of ${held} rows match` + (held < view.total
    ? `; the page holds ${held} of ${view.total}` : "");
  return `${held} of ${view.total}`;
}

function filterRow(view, tests, redraw) {
  return view.columns.map((column, i) => {
    const input = el("input", { type: "search", "aria-label": `Filter ${column.title}`,
      placeholder: isNumber(column) ? ">0" : "filter", size: "4", "data-column": column.name,
      title: "text, !not, =exact; numbers: >1M, 10..20; addresses: 10.0.0.0/8; a, b: either" });
    input.addEventListener("input", () => {
      tests[i] = columnTest(input.value, column);
      input.classList.toggle("set", tests[i] !== null);
      redraw();
    });
    return input;
  });
}

// The second row of the head: DataTables moves cells of hidden columns, these follow by hand.
function placeFilters(table, inputs, row) {
  const cells = [];
  table.columns().every(function () {
    if (this.visible()) cells.push(el("td", {}, inputs[this.index()]));
  });
  row.replaceChildren(...cells);
}

function columnsButton(view, table, changed) {
  if (!view.columns.some((c) => c.minor)) return null;
  const button = el("button", { type: "button", "aria-pressed": "false",
    onclick: () => {
      const all = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(all));
      view.columns.forEach((c, i) => {
        if (c.minor) table.column(i).visible(all, false);
      });
      table.columns.adjust();
      changed();
    } }, "All columns");
  return button;
}

function searchBox(view, table) {
  const input = el("input", { type: "search", class: "search", placeholder: "Search",
    "aria-label": `Search ${view.title}` });
  input.addEventListener("input", () => table.search(input.value).draw());
  return input;
}

/** Builds the table of a view into a place, its tools into another. Returns the DataTable. */
function makeTable(view, place, tools, options = {}) {
  const element = el("table", { class: "data", "aria-label": view.title });
  place.replaceChildren(el("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-label": `${view.title}, table` }, element));
  const tests = [], short = view.rows.length <= SHORT;
  const table = new DataTable(element, {
    data: view.rows, columns: view.columns.map(columnDefinition), order: [],
    deferRender: true, autoWidth: false, pageLength: options.pageLength || 15,
    lengthMenu: [15, 50, 200, 1000], paging: !short,
    layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: short ? null : "paging",
      bottom: null },
    language: { zeroRecords: "Nothing matches", emptyTable: "No data" },
  });
  const info = el("p", { class: "count", role: "status" });
  place.append(info);
  table.search.fixed("columns", (_, row) => tests.every((test, i) => !test || test(row[i])));
  table.on("draw", () => {
    info.textContent = told(view, table.rows({ search: "applied" }).count());
  });
  const head = el("tr", { class: "columnfilters" });
  const inputs = short ? [] : filterRow(view, tests, () => table.draw());
  const place2 = () => placeFilters(table, inputs, head);
  if (!short) {
    element.tHead.append(head);
    place2();
  }
  table.draw();
  const applied = () => table.rows({ search: "applied" }).data().toArray();
  tools.append(...[short ? null : searchBox(view, table), columnsButton(view, table, place2),
    csvButton(view, applied)].filter(Boolean));
  return table;
}

// ---- the flows: picks narrow them, a row opens ----

function shellWord(text) {
  return /^[\w.:/-]+$/.test(text) ? text : `'${String(text).replace(/'/g, "'\\''")}'`;
}

// The filter expression that selects a flow's packets in its capture.
function flowFilter(row, at) {
  const ports = ["tcp", "udp", "sctp", "dccp", "udplite"].includes(row[at.proto]);
  const parts = [ports ? row[at.proto] : null, `host ${row[at.src]}`, `host ${row[at.dst]}`,
    ports ? `port ${row[at.sport]}` : null, ports ? `port ${row[at.dport]}` : null];
  return parts.filter(Boolean).join(" and ");
}

function flowDetail(view, row) {
  const at = Object.fromEntries(view.columns.map((c, i) => [c.name, i]));
  const list = view.columns.map((column, i) => {
    const exact = column.unit === "bytes" && row[i] >= 1000 ? ` (${row[i]} bytes)` : "";
    return el("div", {}, el("dt", {}, column.title), el("dd", {},
      formatCell(row[i], column) + exact));
  });
  const command = `tcpdump -r CAPTURE -w flow.pcap ${shellWord(flowFilter(row, at))}`;
  return el("div", { class: "detail" }, el("dl", {}, ...list),
    el("p", {}, "Its packets: ", el("code", {}, command)));
}

function openRow(view, table, tr) {
  const row = table.row(tr);
  if (!row.data()) return;
  const open = row.child.isShown();
  if (open) row.child.hide();
  else row.child(flowDetail(view, row.data()), "child").show();
  tr.classList.toggle("open", !open);
}

/** The flow table, that follows what is picked anywhere in the page. */
function makeFlows(view, place, tools) {
  const table = makeTable(view, place, tools, { pageLength: 25 });
  let test = pickedTest(view);
  table.search.fixed("picked", (_, row) => test(row));
  listeners.push(() => {
    test = pickedTest(view);
    table.draw();
  });
  const body = place.querySelector("tbody");
  body.addEventListener("dblclick", (event) => openRow(view, table, event.target.closest("tr")));
  table.on("draw", () => {
    for (const tr of body.rows) tr.tabIndex = -1;
    if (body.rows[0]) body.rows[0].tabIndex = 0;
  });
  body.addEventListener("keydown", (event) => {
    const tr = event.target.closest("tr");
    const next = { ArrowDown: tr.nextElementSibling, ArrowUp: tr.previousElementSibling };
    if (event.key === "Enter") openRow(view, table, tr);
    else if (next[event.key]) next[event.key].focus();
    else return;
    event.preventDefault();
  });
  table.draw();
  return table;
}
