"""The repository's files: what git would commit or, without git, everything outside the ignored folders."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "gridtide"
IGNORED_FOLDERS = {".git", ".gridtide", ".venv", "__pycache__", "build", "dist", "site"}


def committed_files() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and (ROOT / ".git").exists():
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
        return sorted(path for path in found if path.is_file())
    return sorted(path for path in ROOT.rglob("*") if path.is_file() and not is_ignored(path))


def is_ignored(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part in IGNORED_FOLDERS or part.endswith("_cache") for part in parts) or path.name == ".env"


def committed_texts() -> list[tuple[str, str]]:
    """Name and content of every text file that would be committed."""
    texts = []
    for path in committed_files():
        content = path.read_bytes()
        if b"\0" not in content[:8_000]:
            texts.append((str(path.relative_to(ROOT)), content.decode("utf-8", errors="replace")))
    return texts


def lines_matching(pattern: str, texts: list[tuple[str, str]]) -> list[str]:
    """`file:line` of every hit, without the hit itself: it may be a secret."""
    wanted = re.compile(pattern)
    return [
        f"{name}:{number}"
        for name, text in texts
        for number, line in enumerate(text.splitlines(), start=1)
        if wanted.search(line)
    ]
