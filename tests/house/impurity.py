"""Find what has no place below the ports: clocks, randomness, files, the environment, logging.

It reads the syntax tree, so it sees calls the import linter cannot (`datetime.now`, `open`); each finding
says what to do instead.
"""

import ast
from collections.abc import Iterator

CLOCK = "time arrives with the event: use `now` of the step or of the context"
TIMER = "ask to be woken (`next_timer`, `wake_at`) instead of waiting"
RANDOMNESS = "derive ids from what they name; the venue draws from the seeded generator handed in"
ENVIRONMENT = "settings are handed in by bootstrap; only config reads the environment"
FILES = "data is handed in through a port; market_data and storage own the files"
LOGGING = "return what happened as an effect; the runners log it"
CONCURRENCY = "a step function runs to its end; the runners own tasks, threads and sockets"

MODULES = {
    "time": CLOCK,
    "sched": TIMER,
    "random": RANDOMNESS,
    "secrets": RANDOMNESS,
    "os": ENVIRONMENT,
    "sys": ENVIRONMENT,
    "platform": ENVIRONMENT,
    "io": FILES,
    "pathlib": FILES,
    "shutil": FILES,
    "sqlite3": FILES,
    "tempfile": FILES,
    "logging": LOGGING,
    "structlog": LOGGING,
    "warnings": LOGGING,
    "asyncio": CONCURRENCY,
    "concurrent": CONCURRENCY,
    "multiprocessing": CONCURRENCY,
    "socket": CONCURRENCY,
    "subprocess": CONCURRENCY,
    "threading": CONCURRENCY,
}
NAMES = {
    "datetime.datetime.now": CLOCK,
    "datetime.datetime.today": CLOCK,
    "datetime.datetime.utcnow": CLOCK,
    "datetime.date.today": CLOCK,
    "numpy.random": RANDOMNESS,
    "uuid.uuid1": RANDOMNESS,
    "uuid.uuid4": RANDOMNESS,
    "uuid.uuid7": RANDOMNESS,
    "importlib.import_module": "import at the top of the file, where the linter sees it",
    "importlib.metadata": "bootstrap looks up entry points and hands in what it found",
}
BUILTINS = {
    "open": FILES,
    "print": LOGGING,
    "input": "questions to a person belong to the command line",
    "breakpoint": "remove it before committing",
    "__import__": "import at the top of the file, where the linter sees it",
}
GENERATOR_TYPE = "random.Random"


def impurities(source: str, *, may_name_generator: bool = False) -> list[str]:
    """`line: what; what to do instead`, for every impurity of a module's source.

    `may_name_generator` lets the type `random.Random` be imported under TYPE_CHECKING, for annotations.
    """
    tree = ast.parse(source)
    for_types = type_checking_nodes(tree) if may_name_generator else set()
    known = imported_names(tree)
    return sorted(
        f"{line}: {what}; {instead}"
        for line, what, instead in [
            *banned_imports(tree, for_types),
            *banned_uses(tree, known, may_name_generator=may_name_generator),
        ]
    )


def type_checking_nodes(tree: ast.Module) -> set[ast.AST]:
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    ]
    return {inner for block in blocks for statement in block.body for inner in ast.walk(statement)}


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Local name → full dotted name."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def banned_imports(tree: ast.Module, for_types: set[ast.AST]) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        for name in imports_of(node):
            if node in for_types and name in {"random", GENERATOR_TYPE}:
                continue
            if instead := MODULES.get(name.partition(".")[0]) or meaning_of(name):
                yield node.lineno, f"imports {name}", instead  # type: ignore[attr-defined]  # imports have a line


def imports_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def banned_uses(
    tree: ast.Module, known: dict[str, str], *, may_name_generator: bool
) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = full_name(node, known)
            if may_name_generator and name == GENERATOR_TYPE:
                continue
            if instead := meaning_of(name):
                yield node.lineno, f"uses {name}", instead
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = known.get(node.func.id, node.func.id)
            if instead := (BUILTINS.get(name) if node.func.id not in known else meaning_of(name)):
                yield node.lineno, f"calls {name}", instead


def full_name(node: ast.expr, known: dict[str, str]) -> str:
    """The dotted name an expression stands for, or "" where it does not start at an import."""
    match node:
        case ast.Name(id=name):
            return known.get(name, "")
        case ast.Attribute(value=owner, attr=attribute):
            start = full_name(owner, known)
            return f"{start}.{attribute}" if start else ""
        case _:
            return ""


def meaning_of(name: str) -> str | None:
    """What to do instead of a banned dotted name, or of anything inside it."""
    if "." in name and (instead := MODULES.get(name.partition(".")[0])):
        return instead
    return next((instead for banned, instead in NAMES.items() if f"{name}.".startswith(f"{banned}.")), None)
