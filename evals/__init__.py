"""How good the answers are: labelled sets, scorers, baselines, runs and reports. Imports the service, never the reverse."""
