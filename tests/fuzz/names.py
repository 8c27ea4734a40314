"""Any ids and prefix: what the list accepts, git accepts, each as a branch of its own."""

from __future__ import annotations

import json
import os
import subprocess

from hypothesis import strategies as st

from core.model.errors import UserError
from core.project import feature_list
from tests.fuzz.harness import Target, scratch, write

LETTERS = "abcXYZ019._-"
ID = st.one_of(
    st.text(LETTERS, min_size=1, max_size=12),
    st.text(LETTERS, min_size=95, max_size=105),
    st.text(max_size=8),
    st.sampled_from(
        ["HEAD", "head", "@", "a.lock", "a..b", ".a", "-a", "--detach", "a.", "refs/heads/x"]
    ),
    st.sampled_from(
        ["K", "K", "ſ", "s", "é", "e\u0301", "ı", "a b", "a~", "a^", "a:b", "a\\b", "a@{1}"]
    ),
)
PREFIX = st.one_of(
    st.sampled_from(
        ["", "feature/", "a/b/", "HE", "x.loc", "v1.", "a-", "é/", "x" * 150 + "/", "y" * 160]
    ),
    st.text(LETTERS + "/", max_size=8),
    st.text(max_size=5),
)
CASES = st.tuples(PREFIX, st.lists(ID, min_size=1, max_size=60).map(tuple))

_PLACE: list[str] = []


def _repository() -> str:
    if not _PLACE:
        folder = scratch()
        _git(folder, "init", "--quiet", "--bare", "--template=", "git")
        _PLACE.append(os.path.join(folder, "git"))
        tree = _git(_PLACE[0], "hash-object", "-t", "tree", "-w", "--stdin")
        identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        commit = _git(_PLACE[0], *identity, "commit-tree", "-m", "x", tree.strip())
        _PLACE.append(commit.strip())
    return _PLACE[0]


def _git(folder: str, *words: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, input=stdin.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout.decode()


def check(case: tuple[str, tuple[str, ...]]) -> None:
    """Load a list of those ids that are accepted one by one, and make all its branches at once."""
    prefix, ids = case
    repository = _repository()
    path = os.path.join(os.path.dirname(repository), "list.json")
    accepted = [id for id in dict.fromkeys(ids) if _loads(path, prefix, [id])]
    if not accepted:
        return
    together = _loads(path, prefix, accepted)
    assert together == (len({id.casefold() for id in accepted}) == len(accepted))
    distinct = list({id.casefold(): id for id in accepted}.values())
    branches = [f"refs/heads/{prefix}{id}" for id in distinct]
    made = "".join(f"create {ref} {_PLACE[1]}\n" for ref in branches)
    # One transaction: git checks the form of each name, and that no two are in each other's way.
    _git(repository, "update-ref", "--stdin", stdin=made)
    listed = _git(repository, "for-each-ref", "--format=%(refname)").split("\n")[:-1]
    _git(repository, "update-ref", "--stdin", stdin=made.replace("create", "delete"))
    assert sorted(listed) == sorted(branches)
    for id in distinct:
        assert os.path.dirname(os.path.normpath(os.path.join("/trees", id))) == "/trees"
        assert not id.startswith("-") and id.isascii()


def _loads(path: str, prefix: str, ids: list[str]) -> bool:
    features = [{"id": id, "prompt": "x"} for id in ids]
    project = {"name": "s", "branch_prefix": prefix}
    write(path, json.dumps({"project": project, "features": features}).encode())
    try:
        feature_list.load(path)
    except UserError:
        return False
    return True


TARGET = Target("names", CASES, check)
