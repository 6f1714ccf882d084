"""What the running system says about itself: structured logs and metrics.

Event names are constants, values are fields. Import from the modules: `logs` brings structlog, which not every
command needs.
"""
