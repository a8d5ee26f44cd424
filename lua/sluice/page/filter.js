// What people type below the head of a column, and what they narrowed the flows to by clicking.
//
//   text      https      holds the text        !https   does not      =tcp   is it
//   numbers   443   >1M   <=2.5k   10..20   !53
//   addresses 10.0.0.0/8   !192.0.2.7   fd00::/8
//   a, b      either; a & b: both

/** An address as sixteen bytes, IPv4 in its mapped form; null: it is none. */
function addressBytes(text) {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
  const bytes = new Array(16).fill(0);
  const plain = v4.exec(text);
  if (plain) {
    bytes.splice(10, 6, 255, 255, ...plain.slice(1).map(Number));
    return bytes.some((b) => b > 255) ? null : bytes;
  }
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  let tail = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const inner = addressBytes(dotted[2]);
    if (!inner) return null;
    const pair = (i) => (inner[i] * 256 + inner[i + 1]).toString(16);
    tail = `${dotted[1]}${pair(12)}:${pair(14)}`;
  }
  const halves = tail.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const gap = 8 - groups.reduce((sum, list) => sum + list.length, 0);
  if (halves.length === 1 ? gap !== 0 : gap < 1) return null;
  const all = halves.length === 1 ? groups[0]
    : [...groups[0], ...new Array(gap).fill("0"), ...groups[1]];
  for (const [i, group] of all.entries()) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
    const n = parseInt(group, 16);
    bytes[2 * i] = n >> 8;
    bytes[2 * i + 1] = n & 255;
  }
  return bytes;
}

/** A test for "10.0.0.0/8" or a single address; null: the text is neither. */
function addressTest(text) {
  const [name, length] = text.split("/");
  const wanted = addressBytes(name);
  if (!wanted || (length !== undefined && !/^\d{1,3}$/.test(length))) return null;
  const offset = name.includes(":") ? 0 : 96;
  const bits = length === undefined ? 128 : Math.min(128, offset + Number(length));
  return (value) => {
    const bytes = addressBytes(String(value));
    if (!bytes) return false;
    for (let i = 0, left = bits; left > 0; i++, left -= 8) {
      const mask = left >= 8 ? 255 : (255 << (8 - left)) & 255;
      if ((bytes[i] ^ wanted[i]) & mask) return false;
    }
    return true;
  };
}

const FACTORS = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, m: 1e-3, "µ": 1e-6, u: 1e-6, min: 60, h: 3600 };

function readNumber(text) {
  const match = /^([+-]?[\d.]+(?:e[+-]?\d+)?)\s*(min|[kMGTmµuh])?(?:[Bs]|bit)?$/.exec(text.trim());
  return match ? Number(match[1]) * (FACTORS[match[2]] || 1) : NaN;
}

/** A test for ">1M", "10..20" or "443"; null: the text is none of these. */
function numberTest(text) {
  const range = /^(.+?)\.\.(.+)$/.exec(text);
  if (range) {
    const [from, to] = [readNumber(range[1]), readNumber(range[2])];
    return Number.isNaN(from + to) ? null : (n) => n !== null && n >= from && n <= to;
  }
  const match = /^(<=|>=|<|>|=)?(.+)$/.exec(text);
  const wanted = match ? readNumber(match[2]) : NaN;
  if (Number.isNaN(wanted)) return null;
  const tests = {
    "<": (n) => n < wanted, ">": (n) => n > wanted, "<=": (n) => n <= wanted,
    ">=": (n) => n >= wanted,
  };
  const test = tests[match[1]] || ((n) => n === wanted);
  return (n) => n !== null && test(n);
}

function termTest(term, column) {
  if (term.startsWith("!") && term.length > 1) {
    const inner = termTest(term.slice(1).trim(), column);
    return (value) => !inner(value);
  }
  const number = column.type === "time" ? null : isNumber(column) ? numberTest(term) : null;
  if (number) return (value) => number(numberOf(value, column));
  const address = column.role === "address" ? addressTest(term) : null;
  if (address) return address;
  if (term.startsWith("=")) {
    const wanted = term.slice(1).trim().toLowerCase();
    return (value) => String(value === null ? "" : value).toLowerCase() === wanted;
  }
  const wanted = term.toLowerCase();
  const shown = (value) => (column.role === "country" && value
    ? `${value} ${countryName(value)}` : formatCell(value, column));
  return (value) => shown(value).toLowerCase().includes(wanted);
}

/** What a column's filter text means as a test of its cells; null: nothing is typed. */
function columnTest(text, column) {
  const either = text.split(",").map((part) => part.trim()).filter(Boolean)
    .map((part) => part.split("&").map((term) => term.trim()).filter(Boolean)
      .map((term) => termTest(term, column)));
  if (!either.length) return null;
  return (value) => either.some((all) => all.every((test) => test(value)));
}

// ---- what was clicked ----

const picked = new Map(); // role -> { label, key }
const listeners = [];

const ROLE_NAMES = { protocol: "Protocol", service: "Service", country: "Country",
  address: "Address", hour: "Hour (UTC)", port: "Port" };

/** Narrows the flows to what has key in a role; null takes that back. */
function pick(role, key, label) {
  if (key === null) picked.delete(role);
  else picked.set(role, { key, label: label || String(key) });
  for (const listener of listeners) listener();
}

function rolesOf(view, role) {
  const list = [];
  view.columns.forEach((column, i) => {
    if (column.role === role) list.push(i);
  });
  return list;
}

function pickTest(view, role, key) {
  if (role === "service") {
    const [name, proto] = String(key).split("/");
    const at = view.columns.findIndex((c) => c.role === "service");
    const protocol = view.columns.findIndex((c) => c.role === "protocol");
    return (row) => (proto === undefined ? row[protocol] === name && row[at] === null
      : row[protocol] === proto && (row[at] === null ? "other" : row[at]) === name);
  }
  if (role === "hour") {
    const at = view.columns.findIndex((c) => c.role === "time");
    return (row) => Number(row[at]) >= key && Number(row[at]) < key + 3600;
  }
  const columns = rolesOf(view, role);
  return (row) => columns.some((i) => String(row[i]) === String(key));
}

/** A test of rows for all that is picked. */
function pickedTest(view) {
  const tests = [...picked].map(([role, { key }]) => pickTest(view, role, key));
  return (row) => tests.every((test) => test(row));
}
