"""What every round of the fault tests starts from: a repository, a list, and agents' work."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from core.model.list_commands import shell_command
from core.runner.check_runner import check_key
from core.worktree import supply_digest
from core.worktree.names import SCRATCH
from tests.support.paths import AGENT
from tests.support.repository import Repository
from tests.support.workspace import steps

WORK = """\
ID=${PWD##*/}
put() {
  case $1 in */*) mkdir -p "${1%/*}" ;; esac
  echo "$2" >"$1" && echo "file $ID $1 $2" >>"$ROUND/notes"
}
save() {
  git add -A && git commit -qm "$1"
  echo "commit $ID $(git rev-parse HEAD)" >>"$ROUND/notes"
}
lasting() { setsid sleep 30 & } # somebody has to end it
case $ID in
  store) lasting; put store.py stored=1; save store; put schema/store.sql two ;; # and more
  auth) put auth.py one; put users.py two ;;
  pages) lasting; put pages.py one; sleep 0.12; put pages.css two ;; # takes time
  api) put api.py one; put README.md changed ;;
  views) put views.py one; save one; put forms.py two; save two ;; # leaves nothing
  search) put search.py one; sleep 0.05 ;;
  shop) lasting; put shop.py one ;;
  admin) git rm -q users.py; put admin.py one ;;
  site) put site.py one; save site ;;
esac
"""
"""What each agent does, by the name of its worktree. Done twice it comes to the same."""

NOTED = 'echo "${PWD##*/}" >>"$ROUND/starts"; exec "$@"'
"""Notes each start of an agent, also where a session is resumed."""

QUICK = """\
trap 'exit 1' INT
cat >/dev/null
echo '{"type": "system", "subtype": "init", "claude_code_version": "0"}'
. "$ROUND/work"
printf '{"type": "result", "subtype": "success", "is_error": false, "num_turns": 1, '
echo '"total_cost_usd": 0.05, "result": "Done."}'
"""
"""An agent that speaks no more of Claude's protocol than it must: it starts thirty times faster."""

AGENTS = {"quick": ["/bin/sh", "-c", QUICK], "simulated": AGENT}

NEEDS = {
    "store": [],
    "auth": [],
    "pages": [],
    "api": ["store", "auth"],
    "views": ["auth", "pages"],
    "search": ["store"],
    "shop": ["api", "views"],
    "admin": ["search", "views"],
    "site": ["shop", "admin"],
}

Json = Mapping[str, object]


class Template:
    """What every round starts from: repository, list, and the agents' work."""

    commands: Sequence[Sequence[str]] = (("run", "--yes"),)
    """What is typed one after the other, each as often as it takes to get through."""

    targets: Sequence[str] = ()
    """The branches that features land on; the first one is checked out in ``checkout``."""

    mended: Sequence[str] = ()
    """The features whose agents are told of a red check."""

    copied: Sequence[str] = ()
    """The list's ``copy``."""

    retried: Sequence[str] = ()
    """The features that get a second result, by a retry."""

    starts: Mapping[str, int] = MappingProxyType({})
    """How often an agent is started that nobody disturbs, where it is not once."""

    def __init__(self, agent: str, needs: Mapping[str, Sequence[str]] = NEEDS) -> None:
        self.ids = tuple(needs)
        self.repository = Repository()
        self.root = self.repository.root
        self.repository.commit({"old.py": "old\n", "docs/guide.md": "guide\n"}, "more")
        self.repository.branch("users-own")
        self.add_targets()
        # Work of the user's that no run may touch: staged, changed, and new.
        self.repository.write({"staged.py": "s\n", "old.py": "changed\n", "new.txt": "new\n"})
        self.repository.git("add", "staged.py")
        for folder in ("plan/config", "sessions", "tmp"):
            os.makedirs(os.path.join(self.root, folder))
        does = steps({"bash": '. "$ROUND/work"'})
        document = {
            "project": {
                "name": "Shop",
                "repo_path": "../repository",
                "max_parallel": 3,
                "start_interval_seconds": 0,
                **self.project(),
            },
            "claude": {"command": ["/bin/sh", "-c", self.begins(), "agent", *AGENTS[agent]]},
            "features": [
                {
                    **{"id": id, "name": f"The {id}", "prompt": does, "depends_on": [*others]},
                    **self.feature(id),
                }
                for id, others in needs.items()
            ],
        }
        self.write_list(document)
        self.write("work", WORK)
        for name in ("notes", "starts", "checks"):
            self.write(name, "")

    def write_list(self, document: Json) -> None:
        """Write the list."""
        self.write("plan/config/feature_list.json", json.dumps(document))

    def listed(self, root: str) -> list[str]:
        """The features that the list in ``root``, a copy of it, has now."""
        return list(self.ids)

    def after_a_kill(self, words: Sequence[str], kinds: Collection[str]) -> Sequence[str]:
        """What is typed after a kill of a command; ``kinds`` are the events of the journal."""
        return words

    def add_targets(self) -> None:
        """Make the branches that features land on."""

    def project(self) -> Json:
        """More of the list's ``project``."""
        return {}

    def feature(self, id: str) -> Json:
        """More of a feature."""
        return {}

    def begins(self) -> str:
        """The shell's words before an agent, which is in ``"$@"``."""
        return NOTED

    @cached_property
    def supplied(self) -> str:
        """The digest of what every worktree gets a copy of."""
        return supply_digest.digest_of(self.repository.path, self.copied)

    def key(self, note: str) -> str:
        """What core remembers a check by, of a line in ``checks``."""
        name, place, tree = note.split()
        command, clean = shell_command(step(CHECKS[name])), place.endswith(SCRATCH)
        return check_key(tree, command, clean=clean, supplied=self.supplied)

    def write(self, name: str, content: str) -> None:
        """Write a file in it."""
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(content)

    def close(self) -> None:
        """Remove it."""
        self.repository.close()


EDITED = """\
if [ "${PWD##*/}" = store ]; then
  cp "$ROUND/edited.json" "$ROUND/plan/config/edited.json"
  touch -d '2001-01-01' "$ROUND/plan/config/edited.json" # as if nobody had it open
  mv "$ROUND/plan/config/edited.json" "$ROUND/plan/config/feature_list.json"
fi
"""
"""While the first agent works, the user edits the list."""


class Edited(Template):
    """The list changes while it runs, and the run takes it up by itself.

    ``shop`` joins, ``site`` goes, ``search`` follows its new entry.
    """

    def __init__(self, agent: str) -> None:
        super().__init__(agent, {"store": [], "search": ["store"], "site": ["search"]})
        self.ids = ("store", "search", "shop")

    def project(self) -> Json:
        """The run looks at the list."""
        return {"reload": True}

    def write_list(self, document: Json) -> None:
        """Write the list, and beside it what the user makes of it."""
        super().write_list(document)
        features = document["features"]
        assert isinstance(features, list)
        store, search, _ = features
        search = {**search, "prompt": f"With care.\n{search['prompt']}"}
        shop = {**search, "id": "shop", "depends_on": ["store", "search"]}
        self.write("edited.json", json.dumps({**document, "features": [store, search, shop]}))

    def listed(self, root: str) -> list[str]:
        """Before or after the edit."""
        with open(os.path.join(root, "plan/config/feature_list.json"), encoding="utf-8") as file:
            return [feature["id"] for feature in json.load(file)["features"]]

    def begins(self) -> str:
        """What happens while agents work."""
        return EDITED + NOTED


MEETING = """\
case $ID in
  one | two) put same.py "$ID=1" ;;
  both) put both.py both; save both ;;
  _resolve_both*) lasting; printf 'one=1\\ntwo=1\\n' >same.py; sleep 0.05; git add same.py ;;
esac
"""
"""Two that do not merge, and what Claude makes of it."""


class Meeting(Template):
    """A feature whose dependencies conflict, in a run that resolves it."""

    commands = (("run", "--yes", "--resolve"),)

    def __init__(self, agent: str) -> None:
        super().__init__(agent, {"one": [], "two": [], "both": ["one", "two"]})
        self.write("work", WORK + MEETING)


STEPS = """\
lasting() { setsid sleep 30 & } # somebody has to end it
once() { # only where nobody did it, or began to
  [ ! -e "$1.begun" ] || { echo "$1 was begun here before"; exit 1; }
  : >"$1.begun"
}
supplied() { [ -f .env ] && [ -L modules ] || { echo "not supplied"; exit 1; }; }
set_up() { once set_up; supplied; lasting; sleep 0.08; }
tear_down() { lasting; }
check() {
  supplied
  echo "$1 ${PWD##*/} $(git rev-parse 'HEAD^{tree}')" >>"$ROUND/checks"
  [ "${PWD##*/}" != pages ] || echo red >report.xml # as test runners do
  [ "${PWD##*/}" != store ] || lasting
}
mended() { [ -e mended.py ] || { echo "the shop is not mended"; exit 1; }; }
"""
"""What the list's own commands do. A check notes what it saw."""

MET = """\
ID=${PWD##*/}
wish() { # as another terminal does
  printf '{"id": "%s", "run": "%s", "action": "%s"}' "$1-$2" "$RORCHESTRATOR_RUN" "$2" \
    >"$STATE/wishes/$1-$2.json"
}
echo "$ID" >>"$ROUND/starts"
cat >"$ROUND/prompts/$ID"
if [ "$ID" = search ] && [ ! -e "$ROUND/overloaded" ]; then
  : >"$ROUND/overloaded"
  printf '{"type": "result", "subtype": "success", "is_error": true, "num_turns": 1, '
  echo '"total_cost_usd": 0, "api_error_status": 529, "result": "Overloaded"}'
  exit 1
fi
if [ "$ID" = search ]; then
  STATE=$ROUND/repository/.git/rorchestrator now=$(date +%s%N)
  mkdir -p -m 700 "$STATE/wishes"
  wish "$now" pause
  wish "$now" resume
  mv -T "$STATE/wishes" "$STATE/requests" # both at once: how long it stands still is no chance
fi
if [ "$ID" = shop ] && grep -q 'the shop is not mended' "$ROUND/prompts/shop"; then
  echo yes >mended.py && echo 'file shop mended.py yes' >>"$ROUND/notes"
fi
exec "$@" <"$ROUND/prompts/$ID"
"""
"""One agent meets an overloaded API, once; another one mends only what it is told of.

While it works after that, the user has the run pause and go on.
"""


def step(words: str) -> str:
    """A command of the list."""
    return f'. "$ROUND/steps"; {words}'


class Shop(Template):
    """All that a list can ask for beside Claude: supplies, setup, checks, retries, landing.

    ``clean`` has each commit checked in a clean checkout as well.
    """

    commands = (
        ("run", "--yes", "--merge"),
        ("merge", "--yes", "--into", "release", "--strategy=squash"),
    )
    targets = ("trunk", "release")
    mended = ("shop",)
    copied = (".env",)
    starts = MappingProxyType({"shop": 2, "search": 2})

    def __init__(
        self, agent: str, needs: Mapping[str, Sequence[str]] = NEEDS, *, clean: bool = False
    ) -> None:
        self.clean = clean
        super().__init__(agent, needs)
        self.write("steps", STEPS)
        os.makedirs(os.path.join(self.root, "prompts"))

    def add_targets(self) -> None:
        """``trunk`` is checked out, ``release`` is nowhere and has a commit of its own."""
        repository, checkout = self.repository, os.path.join(self.root, "checkout")
        ignored = {".gitignore": ".env\nmodules\n*.begun\n"}
        repository.commit(ignored, "ignore")
        repository.write({".env": "KEY=1\n", "modules/one.js": "1\n"})
        repository.git("worktree", "add", "--quiet", "-b", "release", checkout)
        repository.commit({"release.md": "one\n"}, "release", at=checkout)
        repository.git("switch", "--quiet", "-c", "trunk", "main", at=checkout)

    def project(self) -> Json:
        """The steps of every feature."""
        return {
            "base_branch": "trunk",
            "copy": [*self.copied],
            "link": ["modules"],
            "teardown": [step("tear_down")],
            "verify": [step("check all")],
            "verify_clean": self.clean,
            "retry": {"attempts": 3, "backoff_seconds": 0.01},
        }

    def feature(self, id: str) -> Json:
        """The steps of this feature."""
        set_up = step("set_up")
        more: Mapping[str, Json] = {
            "store": {
                "setup": [set_up],
                "creates": ["path:store.py", "symbol:stored", f"command:{step('check promised')}"],
            },
            "api": {"uses": ["path:store.py", "symbol:stored"]},
            "shop": {"setup": [set_up], "verify": [step("check shop; mended")]},
        }
        return more.get(id, {})

    def begins(self) -> str:
        """What the agents meet."""
        return MET


TOLD = """\
ID=${PWD##*/}
echo "$ID" >>"$ROUND/starts"
cat >"$ROUND/prompt-$ID"
if grep -q 'Use the clock' "$ROUND/prompt-$ID"; then
  grep -o '^Comment [0-9a-f]*' "$ROUND/prompt-$ID" >>"$ROUND/comments"
  echo clock >clock.py && echo "file $ID clock.py clock" >>"$ROUND/notes"
fi
exec "$@" <"$ROUND/prompt-$ID"
"""
"""Agents that note which comments they get, and do what one of them says."""


class Retried(Template):
    """A completed feature goes on with what its user says; another one is built on it."""

    commands = (("run", "--yes"), ("retry", "auth", "--yes", "-m", "Use the clock."))
    mended = ("auth",)
    retried = ("auth",)
    starts = MappingProxyType({"auth": 2})

    def __init__(self) -> None:
        super().__init__("quick", {"auth": [], "admin": ["auth"]})

    def begins(self) -> str:
        """What the agents meet."""
        return TOLD

    def after_a_kill(self, words: Sequence[str], kinds: Collection[str]) -> Sequence[str]:
        """As a user does who looks at what the first try has recorded."""
        if "steered" in kinds:
            return self.commands[0]
        return ("retry", "auth", "--yes") if "commented" in kinds else words


class Cached(Template):
    """A setup makes two folders, which later worktrees get copies of.

    A check sees that both are whole, and that nothing of a killed run is left in the store.
    """

    def __init__(self) -> None:
        super().__init__("quick", {"store": [], "search": ["store"]})

    def add_targets(self) -> None:
        """git ignores the folders; one is beside a tracked file."""
        self.repository.commit({".gitignore": "modules/\n", "app/main.py": "main\n"}, "ignore")

    def project(self) -> Json:
        """The setup notes that it ran."""
        made = "mkdir modules app/modules && echo 1 >modules/one && echo 2 >app/modules/two"
        return {
            "setup": [f'{made} && echo "${{PWD##*/}}" >>"$ROUND/setups"'],
            "setup_cache": ["**/modules"],
            "setup_inputs": ["old.py"],
            "verify": [
                "grep -q 1 modules/one && grep -q 2 app/modules/two",
                '! ls -A "$ROUND/repository/.git/rorchestrator/setup-cache" | grep "^[.]"',
            ],
            "max_parallel": 1,
        }


class Checked(Template):
    """One feature, whose check in a clean checkout is the last thing: nothing takes that over."""

    def __init__(self) -> None:
        super().__init__("quick", {"store": []})

    def project(self) -> Json:
        """A check that is always green."""
        return {"verify": ["true"], "verify_clean": True}


CHECKS = {"all": "check all", "promised": "check promised", "shop": "check shop; mended"}
"""The checks' commands, by the name that they note."""
