"""Ruby with bundler, and Rails."""

from __future__ import annotations

import re

from ...model.translate import N_
from .stack import Stack
from .tree import Tree

MANIFEST = "Gemfile"
LOCKFILE = "Gemfile.lock"
DATABASE = "config/database.yml"

SERVERS = {"postgresql": "PostgreSQL", "mysql2": "MySQL", "trilogy": "MySQL"}
"""Adapters of databases that all worktrees would share."""

OWN_DATABASE = ("RORCHESTRATOR_SLOT", "RORCHESTRATOR_FEATURE")
"""Variables that give each feature a database of its own, if ``database.yml`` uses one."""

_ADAPTER = re.compile(r"^[ \t]*adapter:\s*[\"']?(\w+)", re.MULTILINE)


def detect(tree: Tree) -> Stack | None:
    """Ruby in the folder; ``None`` without a ``Gemfile``."""
    if not tree.has(MANIFEST):
        return None
    gems = tree.text(MANIFEST) + tree.text(LOCKFILE)
    return _rails(tree, gems) if _is_rails(tree) else _plain(tree, gems)


def _is_rails(tree: Tree) -> bool:
    return tree.has("config/application.rb", "bin/rails")


def _rails(tree: Tree, gems: str) -> Stack:
    rails = "bin/rails" if tree.has("bin/rails") else "bundle exec rails"
    adapters = set(_ADAPTER.findall(tree.text(DATABASE)))
    shared = sorted({SERVERS[each] for each in adapters if each in SERVERS})
    own = any(name in tree.text(DATABASE) for name in OWN_DATABASE)
    tests = [rails + " test"] if tree.matching(r"^test/.*_test\.rb$|^test/test_helper\.rb$") else []
    setup = ["bundle check || bundle install"]
    notes = []
    if not tree.has(DATABASE) and "sqlite3" not in gems and _has_database(tree):
        notes.append(
            N_("{database} is not committed: say in project.setup how to make it").format(
                database=DATABASE
            )
        )
    elif _has_database(tree):
        setup.append(f"RAILS_ENV=test {rails} db:prepare")
    if shared:
        notes.append(
            N_("the tests need a running {shared} server").format(shared=N_(" and ").join(shared))
        )
    return Stack(
        "Rails",
        _files(tree),
        setup=tuple(setup),
        verify=(*_rubocop(tree, gems), *tests, *_rspec(tree, gems)),
        allowed=(f"{rails} generate", f"{rails} db:migrate", f"RAILS_ENV=test {rails} db:migrate"),
        programs=("ruby", "bundle"),
        ignored=("/log/*", "/tmp/*"),
        port_variable="PORT",
        copy=(DATABASE,),
        one_at_a_time=_shared(shared) if shared and not own else "",
        notes=tuple(notes),
    )


def _has_database(tree: Tree) -> bool:
    return bool(tree.matching(r"^db/|^config/database\."))


def _shared(servers: list[str]) -> str:
    return N_(
        "all worktrees use the same {servers} test database. To run several "
        "features at once, put <%= ENV['{variable}'] %> into its name in "
        "{database}"
    ).format(servers=N_(" and ").join(servers), variable=OWN_DATABASE[0], database=DATABASE)


def _plain(tree: Tree, gems: str) -> Stack:
    verify = [*_rubocop(tree, gems), *_rspec(tree, gems)]
    if not _rspec(tree, gems) and tree.has("Rakefile", "rakefile"):
        task = "test" if re.search(r"TestTask|task :?test\b", _rakefile(tree)) else ""
        verify += [f"bundle exec rake {task}"] if task else []
    return Stack(
        "Ruby with bundler",
        _files(tree),
        setup=("bundle check || bundle install",),
        verify=tuple(verify),
        programs=("ruby", "bundle"),
        port_variable="PORT"
        if re.search(r"^[ \t]*gem ['\"](?:sinatra|rack|puma)", gems, re.M)
        else "",
    )


def _rakefile(tree: Tree) -> str:
    return tree.text("Rakefile") + tree.text("rakefile")


def _files(tree: Tree) -> tuple[str, ...]:
    return tuple(filter(tree.has, (MANIFEST, LOCKFILE, DATABASE)))


def _rspec(tree: Tree, gems: str) -> list[str]:
    has_specs = tree.matching(r"^spec/.*_spec\.rb$|^spec/(?:rails|spec)_helper\.rb$")
    return ["bundle exec rspec"] if has_specs and "rspec" in gems else []


def _rubocop(tree: Tree, gems: str) -> list[str]:
    return ["bundle exec rubocop"] if tree.has(".rubocop.yml") and "rubocop" in gems else []
