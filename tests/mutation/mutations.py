"""All mutations by name: the ways in which R1 to R11 are broken to see who notices."""

from __future__ import annotations

from tests.mutation import breaking_books, breaking_sending, breaking_verdicts
from tests.mutation.patching import Mutation

RULES = tuple(f"R{number}" for number in range(1, 12))

MUTATIONS: dict[str, Mutation] = {
    mutation.name: mutation
    for mutation in sorted(
        [*breaking_sending.MUTATIONS, *breaking_verdicts.MUTATIONS, *breaking_books.MUTATIONS],
        key=lambda mutation: RULES.index(mutation.rule),
    )
}
