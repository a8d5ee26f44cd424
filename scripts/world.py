#!/usr/bin/env python3
"""Turns Natural Earth outlines (npm world-atlas, TopoJSON) into lua/data/world.tsv and countries.tsv.

usage: world.py NODE_MODULES OUTPUT_FOLDER

world.tsv: one ring a line, "code TAB lon lat lon lat …" in hundredths of a degree, countries
in order of their largest ring, so that an enclave is drawn over what surrounds it. Code "-": land without an ISO code.
Code "|": not a ring but a border, a line that two countries share.
countries.tsv: "code TAB name TAB lon TAB lat", the point being where a dot or label goes.
The same input gives the same bytes.
"""
import json
import sys
from pathlib import Path

TOLERANCE = 0.06  # degrees; a quarter of a pixel on a world 1400 pixels wide
SMALLEST = 0.012  # square degrees; smaller islands go, but for a country's largest one

# Names as maps print them, where ISO's are long or inverted.
NAMES = {
    "CD": "DR Congo", "CG": "Congo", "CI": "Côte d'Ivoire", "CN": "China", "CZ": "Czechia",
    "FK": "Falkland Islands", "FM": "Micronesia", "GB": "United Kingdom", "GM": "Gambia",
    "IR": "Iran", "KR": "South Korea", "LA": "Laos", "MD": "Moldova", "MF": "Saint Martin",
    "MK": "North Macedonia", "NL": "Netherlands", "PS": "Palestine", "RU": "Russia",
    "SX": "Sint Maarten", "SY": "Syria", "TW": "Taiwan", "TZ": "Tanzania",
    "US": "United States", "VA": "Vatican City", "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands", "BQ": "Caribbean Netherlands",
}
# Natural Earth draws these parts with their state; address registries give them codes of their own.
# (state, west, south, east, north) -> code
PARTS = {
    ("FR", -55, 2, -51, 6): "GF", ("FR", -62, 15.8, -61, 16.6): "GP",
    ("FR", -61.3, 14.3, -60.7, 15): "MQ", ("FR", 44.9, -13.1, 45.4, -12.5): "YT",
    ("FR", 55, -21.5, 56, -20.7): "RE", ("NO", 10, 74, 35, 81): "SJ", ("NO", -10, 70, -7, 72): "SJ",
    ("NO", 3, -55, 4, -54): "BV", ("NL", -69, 11.9, -62.9, 17.8): "BQ",
    ("Indian Ocean Ter.", 105, -11, 106, -10): "CX", ("Indian Ocean Ter.", 96, -13, 97.5, -11): "CC",
}
# Too small for the outlines at this scale: (lon, lat).
POINTS = {"BV": (3.4, -54.4), "BQ": (-68.3, 12.2), "TK": (-171.8, -9.2), "GI": (-5.35, 36.14),
          "TV": (179.2, -8.5), "UM": (166.6, 19.3), "CC": (96.8, -12.2), "CX": (105.7, -10.5)}
# Where a centroid would lie outside the land that people mean.
LABELS = {"US": (-98.5, 39.5), "CA": (-106, 57), "FR": (2.5, 46.6), "NO": (9.5, 61.5),
          "CL": (-71, -33), "HR": (16, 45.5), "VN": (106, 16), "MY": (102.2, 4.2)}


def read_arcs(topology):
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for deltas in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in deltas:
            x, y = x + dx, y + dy
            arc.append((x * sx + tx, y * sy + ty))
        arcs.append(simplify(arc))
    return arcs


def distance_squared(p, a, b):
    (px, py), (ax, ay), (bx, by) = p, a, b
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    t = 0 if length == 0 else max(0, min(1, ((px - ax) * dx + (py - ay) * dy) / length))
    return (px - ax - t * dx) ** 2 + (py - ay - t * dy) ** 2


def simplify(arc):
    """Douglas and Peucker; arcs are shared by neighbours, so borders stay closed."""
    xs, ys = [x for x, _ in arc], [y for _, y in arc]
    size = max(max(xs) - min(xs), max(ys) - min(ys))
    tolerance = min(TOLERANCE, size / 12)  # small islands keep their shape
    keep = {0, len(arc) - 1}
    stack = [(0, len(arc) - 1)]
    while stack:
        first, last = stack.pop()
        worst, at = tolerance ** 2, None
        for i in range(first + 1, last):
            d = distance_squared(arc[i], arc[first], arc[last])
            if d > worst:
                worst, at = d, i
        if at is not None:
            keep.add(at)
            stack += [(first, at), (at, last)]
    return [arc[i] for i in sorted(keep)]


def ring_of(indices, arcs):
    ring = []
    for i in indices:
        arc = arcs[i] if i >= 0 else arcs[~i][::-1]
        ring += arc[1:] if ring else arc
    return ring[:-1]


def area(ring):
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]))) / 2


def centroid(ring):
    a = cx = cy = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]):
        cross = x1 * y2 - x2 * y1
        a, cx, cy = a + cross, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    if a == 0:
        return ring[0]
    return cx / (3 * a), cy / (3 * a)


def unwrap(ring):
    """Longitudes without jumps; a ring around a pole is closed over that pole's edge."""
    out = [ring[0]]
    for x, y in ring[1:]:
        x += 360 * round((out[-1][0] - x) / 360)
        out.append((x, y))
    turn = 360 * round((out[-1][0] - out[0][0]) / 360)
    if turn:
        pole = -90 if sum(y for _, y in ring) < 0 else 90
        out.append((out[0][0] + turn, out[0][1]))
        out += [(out[-1][0], pole), (out[0][0], pole)]
    return out


def half_plane(ring, edge, sign):
    """Sutherland and Hodgman: the part of ring where sign * x <= sign * edge."""
    out = []
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]):
        inside1, inside2 = sign * x1 <= sign * edge, sign * x2 <= sign * edge
        if inside1:
            out.append((x1, y1))
        if inside1 != inside2:
            out.append((edge, y1 + (y2 - y1) * (edge - x1) / (x2 - x1)))
    return out


def split(ring):
    """The pieces of a ring between 180 degrees west and east."""
    ring = unwrap(ring)
    for shift in (-360, 0, 360):
        piece = half_plane([(x + shift, y) for x, y in ring], 180, 1)
        piece = half_plane(piece, -180, -1) if piece else piece
        if len(piece) > 2 and area(piece) > 0:
            yield piece


def read_borders(path):
    """The lines between two countries: in TopoJSON, the arcs that two of them use."""
    topology = json.loads(path.read_text())
    arcs, users = read_arcs(topology), {}
    for n, geometry in enumerate(topology["objects"]["countries"]["geometries"]):
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            for ring in polygon:
                for arc in ring:
                    users.setdefault(arc if arc >= 0 else ~arc, set()).add(n)
    return [("|", arcs[i]) for i in sorted(users) if len(users[i]) > 1]


def part_code(state, ring):
    x, y = centroid(ring)
    for (of, west, south, east, north), code in PARTS.items():
        if of == state and west <= x <= east and south <= y <= north:
            return code
    return None


def read_rings(path, alpha2, wanted):
    """Yields (code, ring); only the outer rings: what fills a hole is drawn over it."""
    topology = json.loads(path.read_text())
    arcs = read_arcs(topology)
    for geometry in topology["objects"]["countries"]["geometries"]:
        name = geometry["properties"]["name"]
        code = "XK" if name == "Kosovo" else alpha2.get(geometry.get("id"), "-")
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            for ring in split(ring_of(polygon[0], arcs)):
                part = part_code(name if code == "-" else code, ring) or code
                if wanted(part):
                    yield part, ring


def thin_out(rings):
    largest = {}
    for code, ring in rings:
        largest[code] = max(largest.get(code, 0), area(ring))
    kept = [(c, r) for c, r in rings if area(r) >= SMALLEST or area(r) == largest[c]]
    return sorted(kept, key=lambda item: (-largest[item[0]], item[0], -area(item[1]), item[1]))


def write_world(path, rings):
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for code, ring in rings:  # and borders
            points = []
            for x, y in ring:
                point = f"{round(x * 100)} {round(y * 100)}"
                if not points or points[-1] != point:
                    points.append(point)
            out.write(code + "\t" + " ".join(points) + "\n")


def write_countries(path, names, rings):
    points = {}
    for code, ring in rings:  # large ones first
        points.setdefault(code, centroid(ring))
    points.update(POINTS)
    points.update(LABELS)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for code in sorted(names):
            name = NAMES.get(code) or names[code]
            lon, lat = points[code]
            out.write(f"{code}\t{name}\t{lon:.2f}\t{lat:.2f}\n")


def main():
    modules, output = Path(sys.argv[1]), Path(sys.argv[2])
    iso = modules / "i18n-iso-countries"
    alpha2 = {row[2]: row[0] for row in json.loads((iso / "codes.json").read_text())}
    names = json.loads((iso / "langs" / "en.json").read_text())["countries"]
    names = {code: n if isinstance(n, str) else n[0] for code, n in names.items()}
    atlas = modules / "world-atlas"
    rings = list(read_rings(atlas / "countries-50m.json", alpha2, lambda code: True))
    have = {code for code, _ in rings}
    rings += read_rings(atlas / "countries-10m.json", alpha2, lambda code: code not in have)
    rings = thin_out(rings)
    write_world(output / "world.tsv", rings + read_borders(atlas / "countries-50m.json"))
    write_countries(output / "countries.tsv", names, rings)


if __name__ == "__main__":
    main()
