"""What the running system says about itself: structured logs and metrics.

Event names are constants, values are fields.
"""

from gridtide.telemetry.logs import Logs, configure_logging, get_logger
from gridtide.telemetry.redaction import SECRETS, Redactor

__all__ = ["SECRETS", "Logs", "Redactor", "configure_logging", "get_logger"]
