"""What the running system says about itself: structured logs and metrics.

Event names are constants, values are fields.
"""
