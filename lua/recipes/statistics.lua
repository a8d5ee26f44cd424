-- The rankings and distributions of a capture, of the recipes that count them.
return {
  about = "rankings: sources, destinations, protocols, countries; durations, sizes, ports",
  sections = {
    { "Statistics", "addresses:sources_by_flows", "addresses:sources_by_bytes",
      "addresses:destinations_by_flows", "addresses:destinations_by_bytes",
      "protocols:protocols_by_flows", "countries:countries_by_flows",
      "sizes", "protocols:services" },
  },
}
