"""The made-up office of examples/office-hour.pcap; scripts/make-example.py writes it."""
