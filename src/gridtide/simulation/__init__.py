"""The whole bot in virtual time against the venue, with every fault a seed draws: proof by search, for anybody to run.

Same seed, same run, to the byte: nothing here reads a clock or the environment, and one thread does everything.
"""
