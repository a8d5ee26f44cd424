// Data of the page, and numbers as people read them: the same rules as sluice/units.lua.
const data = JSON.parse(document.getElementById("data").textContent);
const views = new Map(data.views.map((view) => [view.name, view]));

/** An element; attributes and children are data, never markup. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function escapeHtml(text) {
  const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (c) => escapes[c]);
}

const SYMBOLS = { bytes: "B", "bytes/s": "B/s", bits: "bit", "bits/s": "bit/s", Hz: "Hz" };
const PREFIXES = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

function threeDigits(n) {
  const size = Math.abs(n);
  if (size < 1e-4) return n === 0 ? "0.00" : n.toPrecision(3);
  return n.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

function formatDuration(seconds) {
  const size = Math.abs(seconds), sign = seconds < 0 ? "-" : "";
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (size === 0) return "0 s";
  if (size < 0.9995) {
    for (const [factor, name] of [[1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]) {
      if (size >= factor * 0.9995 || factor === 1e-9) {
        return sign + trimmed(threeDigits(size / factor)) + " " + name;
      }
    }
  }
  if (size < 59.95) return sign + trimmed(threeDigits(size)) + " s";
  const whole = Math.floor(size + 0.5);
  const two = (large, largeName, small, smallName) => {
    const rest = Math.floor((whole % large) / small);
    return `${sign}${Math.floor(whole / large)} ${largeName}${rest ? ` ${rest} ${smallName}` : ""}`;
  };
  if (whole < 3600) return two(60, "min", 1, "s");
  if (whole < 86400) return two(3600, "h", 60, "min");
  return two(86400, "d", 3600, "h");
}

function formatNumber(n, unit) {
  if (!Number.isFinite(n)) return "–";
  if (unit === "s") return formatDuration(n);
  if (unit === "%") return n.toFixed(1) + " %";
  const symbol = SYMBOLS[unit] || "";
  if (symbol === "" && Number.isInteger(n) && Math.abs(n) < 1e5) return String(n);
  if (n > 0 && n < 0.01 && symbol.endsWith("/s")) return `< 0.01 ${symbol}`;
  const size = Math.abs(n);
  const [factor, prefix] = PREFIXES.find(([f]) => size >= f * (f > 1e3 ? 0.9995 : 0.99995))
    || [1, ""];
  const number = factor === 1 && Number.isInteger(n) ? String(n) : threeDigits(n / factor);
  return prefix + symbol === "" ? number : `${number} ${prefix}${symbol}`;
}

/** A time stamp, "s.nnnnnnnnn" or seconds, as UTC with milliseconds. */
function formatTime(stamp) {
  const seconds = Number(stamp);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(stamp);
  const text = date.toISOString();
  return text.slice(0, 10) + " " + text.slice(11, 23).replace(".000", "");
}

function formatCell(value, column) {
  if (value === null || value === undefined) return "–";
  if (column.type === "time") return formatTime(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (column.type === "duration") return formatDuration(value);
    if (column.unit) return formatNumber(value, column.unit);
    return String(value);
  }
  return Array.isArray(value) ? value.join(" ") : String(value);
}

function countryName(code) {
  return data.countries[code] || code;
}

function isNumber(column) {
  return column.type === "number" || column.type === "duration" || Boolean(column.unit);
}

/** The number that a cell sorts and filters by, or null. */
function numberOf(value, column) {
  if (value === null || value === undefined) return null;
  if (isNumber(column) || column.type === "time") return Number(value);
  return null;
}
