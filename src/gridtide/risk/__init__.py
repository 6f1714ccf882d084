"""The gate every order passes, one rule a file.

Reducing a position is allowed when increasing it is not.
"""
