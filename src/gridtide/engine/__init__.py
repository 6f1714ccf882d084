"""The step function: event and time in, effects out.

It never awaits, logs, reads a clock or draws a random number; the same events give the same effects on
every machine.
"""
