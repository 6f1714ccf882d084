"""What may not stand in the repository: addresses of package servers, paths of one machine, secrets."""

import re

import pytest

from tests.house.files import committed_files, committed_texts, lines_matching

INSTALLING = ("requirements/", "tools/", "tools.in", "pyproject.toml", "Makefile", ".ci/")

# Built from pieces, so that this file passes its own test.
SERVERS = [
    "py" + "pi",
    "python" + "hosted",
    "npm" + "js",
    "crates" + r"\.io",
    "ana" + r"conda\.org",
    "js" + "delivr",
    "unp" + "kg",
    "cdn" + "js",
    "dev" + "pi",
    "arti" + "factory",
]
HOME_FOLDERS = ["wo" + "rk", "ro" + "ot"]
SECRETS = {
    "private key": "-----BEGIN [A-Z ]*" + "PRIVATE KEY-----",
    "cloud key": r"\bAKIA" + r"[0-9A-Z]{16}\b",
    "code host token": r"\bgh[pousr]_" + r"[A-Za-z0-9]{30,}",
    "bot token": r"\b\d{8,10}:" + r"[A-Za-z0-9_-]{35}\b",
    "exchange key": r"\b(?=[A-Za-z0-9]*[g-zG-Z])(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Z])"
    + r"[A-Za-z0-9]{64}\b",
}
# The key and the secret of the signing example that Binance publishes; tests sign with them.
PUBLISHED_EXAMPLES = [
    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv" + "sw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP" + "1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
]


def test_nothing_about_installing_names_a_server() -> None:
    """The lock holds names, versions and hashes; where packages come from is each machine's own setting."""
    texts = [(name, text) for name, text in committed_texts() if name.startswith(INSTALLING)]
    assert any(name.startswith("requirements/") for name, _ in texts)
    assert not lines_matching(":" + "//", texts)


def test_no_package_server_is_named() -> None:
    """A mirror must serve as well as the original, so nothing may depend on a name."""
    assert not lines_matching("(?i)" + "|".join(SERVERS), committed_texts())


def test_no_path_of_one_machine() -> None:
    """What works in one person's folder only does not work."""
    pattern = r"(?<![\w.~}/*-])/(?:" + "|".join(HOME_FOLDERS) + r")/\w"
    assert not lines_matching(pattern, committed_texts())


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secret(kind: str) -> None:
    """Keys live in the environment, .env, a secrets folder or the keyring, never in the repository."""
    texts = committed_texts()
    for example in PUBLISHED_EXAMPLES:
        texts = [(name, text.replace(example, "published")) for name, text in texts]
    assert not lines_matching(SECRETS[kind], texts)


def test_the_secret_patterns_work() -> None:
    """Each pattern finds a secret of its kind, made up here."""
    samples = {
        "private key": "-----BEGIN EC PRIVATE" + " KEY-----",
        "cloud key": "AKIA" + "A1B2C3D4E5F6G7H8",
        "code host token": "ghp_" + "a1" * 18,
        "bot token": "123456789:" + "Ab-c_" * 7,
        "exchange key": "aZ09" * 16,
    }
    assert all(re.search(pattern, samples[kind]) for kind, pattern in SECRETS.items())
    assert not re.search(SECRETS["exchange key"], "0aF9" * 16), "a hash is not a key"


def test_no_state_or_environment_is_committed() -> None:
    """Databases, .env and built things stay out, also when .gitignore has a hole."""
    unwanted = {".db", ".whl", ".pyc", ".log", ".sqlite"}
    found = [path.name for path in committed_files() if path.suffix in unwanted or path.name == ".env"]
    assert not found


def test_every_requirement_is_pinned_and_hashed() -> None:
    """A line without a hash would install whatever a server answers."""
    for name, text in committed_texts():
        if not name.startswith("requirements/"):
            continue
        logical = text.replace("\\\n", " ").splitlines()
        loose = [line for line in logical if line and not re.match(r"[\w.-]+==\S+.*--hash=sha256:", line)]
        assert not loose, f"{name}: {loose}"
