"""Helpers for the tests of gridtide and of strategies written by others."""
