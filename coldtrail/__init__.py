"""The command line and the wiring: settings, processes, the demo county."""
