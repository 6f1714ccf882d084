"""Helpers for the tests of gridtide and of strategies written by others.

`sandbox_exchange`: a pytest fixture that starts a whole exchange on a free port, moved by the test.
"""
