"""Choosing a grid: sweeps of many parameter sets, searches, and how much of what they find can be believed."""
