-- The whole of a capture in one page: `sluice report IN -o report.html`. Each section shows what
-- recipes of their own show, all in one pass; "recipe:view" stands for one view of a recipe.
return {
  about = "everything about a capture; with -o report.html a page to hand on",
  sections = {
    { "Overview", "summary", "timeline", "protocols:services_by_bytes", "addresses:top_talkers",
      "protocols:protocols", "countries:countries_by_flows" },
    { "Findings", "scans", "beacons", "bursts",
      "resets", "retransmissions" },
    { "Flows", "flows" },
    { "Protocols", "protocols:services_by_their_amounts", "countries:services_and_countries",
      "protocols:services" },
    { "Statistics", "statistics" },
    { "Hours", "hours" },
    { "Map", "geomap", "countries:services_of_countries",
      "addresses:addresses_of_countries" },
    { "Addresses", "addresses:addresses" },
  },
}
