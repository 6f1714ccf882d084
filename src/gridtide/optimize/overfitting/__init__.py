"""How much of a search's best result is luck: one published statistic a file, and the verdict drawn from them."""
