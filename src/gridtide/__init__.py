"""gridtide: a grid trading system for crypto spot markets.

Importing it loads nothing else: a sweep worker pays for neither ccxt nor SQLAlchemy.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
