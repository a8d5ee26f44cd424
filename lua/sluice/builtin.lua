-- The built-in recipes, in the order in which `sluice recipes` shows them.
return { "summary", "flows", "packets", "count", "protocols", "talkers", "timeline", "geomap",
  "networks", "dns", "tls", "http",
  "health", "scans", "beacons", "bursts", "resets", "retransmissions",
  "countries", "hours", "addresses", "sizes", "statistics", "report", "compare" }
