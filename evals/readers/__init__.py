"""Readers of the labelled sets, one for each way of labelling."""
