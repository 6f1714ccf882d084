"""Faults on purpose: what comes between a client and the venue, by scenario, by seed or at run time.

A fault never touches the truth: the venue stays as exact as ever, only what reaches it and what is shown of it
changes. `plan` holds the values, `catalogue` every knob, `injector` joins them to the seam.
"""
