"""Sample output in the pages is what the commands print, but for times, costs and commits."""

from __future__ import annotations

import os
import re
import unittest
from datetime import datetime

from core.commands import history
from core.commands.detaching import started
from core.dag.deadline import Reachable
from core.dag.resolver import DAGResolver
from core.dag.what_if import choices
from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.past_runs import PastFeature as Past
from core.model.past_runs import PastRun
from core.model.state import Landing, Move
from core.reporter.deadline_text import deadline_lines
from core.reporter.history_text import landing_lines
from core.reporter.style import Style
from core.reporter.what_if_text import what_if_lines
from core.views.activity import Activity
from core.views.heartbeat import heartbeat
from core.views.live import Facts, live_lines
from tests.support import live_runs
from tests.support.commands import wait_until
from tests.support.endpoints import Endpoints
from tests.support.forges import TestForge
from tests.support.live_runs import NOW, START
from tests.support.lives import RUN
from tests.support.machines import PLAIN, claude, programs
from tests.support.once import skip_if_run_elsewhere
from tests.support.page_samples import DOCS, lasting, samples
from tests.support.plans import DIAMOND, plan_of
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

OF_MACHINE = re.compile(
    r"\(/.*?\)|(?<=\d )[kMGT]?B\b|(?<=\d )bytes|(?<=this is ).*|(?<=free in )/.*"
)
"""Places of programs, and units of sizes."""

PASSING = "import unittest\n\nclass T(unittest.TestCase):\n    def test(self):\n        pass\n"

SAMPLED = {
    "commands/assist.md": 1,
    "commands/doctor.md": 1,
    "commands/feedback.md": 1,
    "commands/history.md": 1,
    "commands/import.md": 1,
    "commands/merge.md": 2,
    "commands/notify.md": 1,
    "commands/plan.md": 3,
    "commands/pr.md": 2,
    "commands/push.md": 1,
    "commands/prove.md": 1,
    "commands/review.md": 1,
    "commands/reload.md": 1,
    "commands/run.md": 2,
    "commands/steering.md": 1,
    "commands/submit.md": 1,
    "commands/why.md": 1,
    "CI.md": 1,
    "CONFLICTS.md": 1,
    "GUIDE-UTILISATION.md": 4,
    "REHEARSAL.md": 1,
    "REVIEW.md": 6,
    "VALIDATION.md": 1,
}
"""Pages with sample output, and how many samples each has.

``test_readme`` compares a plan and the French guide, ``test_real_claude`` the validation,
``tests.handover`` what is said on a forge, ``test_submit`` a submission, ``test_review_page`` the
session of a review.
"""


class Samples(unittest.TestCase):
    maxDiff = None

    def test_every_page_with_a_sample_is_compared(self) -> None:
        pages = {str(page.relative_to(DOCS)): page for page in DOCS.glob("**/*.md")}
        found = {name: len(samples(name)) for name in pages if samples(name)}
        self.assertEqual(found, SAMPLED)

    def test_a_merge_with_a_conflict_and_a_failing_check(self) -> None:
        found = [feature(id) for id in ("auth", "search", "api")]
        failed = "test_sign_in (test_api.SignInTest) ... FAIL"
        check = f"#!/bin/sh\n! test -e src/api.py || {{ echo '{failed}'; exit 2; }}\n"
        with Workspace(found, project={"verify": ["bin/test"]}) as shop:
            path = os.path.join(shop.path, "bin", "test")
            shop.commit({"bin/test": check}, "checks")
            os.chmod(path, 0o755)
            shop.git("update-index", "--chmod=+x", "bin/test")
            shop.git("commit", "--quiet", "--message", "checks run")
            shop.finish("auth", {"src/models.py": "auth\n"})
            shop.finish("search", {"src/models.py": "search\n"})
            shop.finish("api", {"src/api.py": "api\n"})
            said = shop.main("merge", "--strategy", "squash")
        self.assertEqual(lasting(said.out), lasting(samples("commands/merge.md")[0]))

    def test_a_merge_that_is_undone_after_a_cleanup(self) -> None:
        with Workspace([feature("auth")]) as shop:
            shop.finish("auth")
            self.assertEqual(shop.main("merge").code, 0)
            self.assertEqual(shop.main("cleanup", "--merged").code, 0)
            said = f"$ rorchestrator undo --yes\n{shop.main('undo', '--yes').out}"
        self.assertEqual(lasting(said), lasting(samples("commands/merge.md")[1]))

    def test_pull_requests_before_and_after_a_squash_merge(self) -> None:
        with Workspace([feature("auth"), feature("api", depends_on=["auth"])]) as shop:
            forge = TestForge(shop)
            shop.finish("auth")
            shop.finish("api", start="feature/auth")
            said = [f"$ rorchestrator push auth\n{shop.main('push', 'auth').out}"]
            forge.git("update-ref", "-d", "refs/heads/feature/auth")
            said.append(f"$ rorchestrator pr\n{shop.main('pr', 'auth', 'api').out}")
            forge.merge("feature/auth", squash=True)
            said.append(f"$ rorchestrator pr --sync\n{shop.main('pr', '--sync').out}")
        shown = [*samples("commands/push.md"), *samples("commands/pr.md")]
        self.assertEqual([*map(lasting, said)], [*map(lasting, shown)])

    def test_a_review_of_two_features(self) -> None:
        found = [
            {"id": "auth", "name": "User Authentication", "prompt": "Write src/auth.py."},
            {"id": "api", "name": "REST API", "prompt": "Write src/api.py."},
        ]
        found[1]["depends_on"] = ["auth"]  # type: ignore[assignment]
        with Workspace(found, project={"verify": ["true"]}) as shop:
            made = {"src/auth.py": "x\n" * 12, "deploy.sh": "x\n" * 2}
            auth = shop.finish("auth", made, cost_usd=0.42)
            shop.finish("api", {"src/api.py": "x\n" * 9}, start=auth, cost_usd=0.38)
            said = shop.main("review")
        self.assertEqual(said.out, samples("commands/review.md")[0])

    def test_recorded_checks_that_are_proved(self) -> None:
        tests = "python3 -m unittest discover"
        with Workspace([feature("auth")]) as shop:
            made = shop.finish("auth", {"test_auth.py": PASSING, "bin/lint": "exit 1\n"})
            own, good, bad = Scope.OWN, "ended with exit 0", "ended with exit 1"
            verdicts = (
                CheckVerdict(tests, own, Verdict.PROVED, made, bad, good),
                CheckVerdict("test -e ../stock.db", own, Verdict.PROVED, made, bad, good),
                CheckVerdict("sh bin/lint", Scope.PROJECT, Verdict.NOT_YOURS, made, bad, bad),
            )
            shop.record(*(events_review.judged(0, RUN, "auth", verdict=v) for v in verdicts))
            said = shop.main("prove", "--yes")
        self.assertEqual(said.code, 1)
        self.assertEqual(lasting(said.out), lasting(samples("commands/prove.md")[0]))

    def test_a_conflict_that_claude_resolves(self) -> None:
        does = {"bash": "printf 'a\\nb\\n' > src/models.py && git add src/models.py"}
        found = [feature("auth", {"say": "Asked for."}), feature("search", does)]
        with Workspace(found, project={"verify": ["test -f README.md"]}) as shop:
            shop.finish("auth", {"src/models.py": "auth\n"})
            shop.finish("search", {"src/models.py": "search\n"})
            said = shop.main("merge", "--resolve", "--max-cost", "2", "--yes")
        self.assertEqual(lasting(said.out), lasting(samples("CONFLICTS.md")[0]))

    def test_a_rehearsal_of_a_list_that_is_not_ready(self) -> None:
        found = [
            feature("search", verify=["test -s src/search.py"]),
            feature("stock", setup=["bin/stock-database"]),
            feature("filter"),
        ]
        checks = ["test -f README.md"]
        project = {"copy": [".env", "config/*.key"], "setup": ["true"], "verify": checks}
        with Workspace(found, project=project) as space:
            space.commit({".gitignore": ".env\n"}, "ignore .env")
            space.write({".env": "GREETING=hello\n"})
            space.git("branch", "feature/filter")
            said = space.main("run", "--rehearse", "--yes", "--fresh")
        sample = lasting(samples("REHEARSAL.md")[0])
        start = next(i for i, line in enumerate(lasting(said.out)) if line == sample[0])
        self.assertEqual(lasting(said.out)[start:], sample)

    def test_receivers_of_notifications_and_a_test_of_them(self) -> None:
        entries = [
            {"type": "slack", "url_env": "SLACK_WEBHOOK_URL"},
            {"type": "webhook", "url_env": "PAGER_URL", "on": ["needs_you"]},
        ]
        endpoints = Endpoints()
        self.addCleanup(endpoints.close)
        with Workspace([feature("auth")]) as shop:
            shop.environ["SLACK_WEBHOOK_URL"] = endpoints.url("/ok")
            shop.document["notify"] = entries
            shop.change()
            printed = "".join(
                f"$ rorchestrator {command}\n{shop.main(*command.split()).out}"
                for command in ("notify", "notify --test")
            )
        self.assertEqual(printed, samples("commands/notify.md")[0])

    def test_a_plan_that_is_imported(self) -> None:
        page = (DOCS / "commands/import.md").read_text(encoding="utf-8")
        tasks = page.partition("<<'MD'\n")[2].partition("MD\n")[0]
        with Workspace([feature("auth")]) as shop:
            shop.write({"specs/001-cart/tasks.md": tasks})
            said = shop.main("import", "specs/001-cart/tasks.md", "--yes")
        self.assertEqual(said.out, samples("commands/import.md")[0])

    def test_a_repository_that_is_nearly_ready(self) -> None:
        found = [feature("auth"), feature("api", verify=["npm run check 2>&1 | tee check.log"])]
        with Workspace(found, claude=PLAIN) as shop:
            shop.write({".claude.json": "{}"}, at=shop.home)
            shop.commit({".gitignore": ".venv\n"}, "ignored")
            shop.write({".venv/bin/pip": f"#!{shop.path}/.venv/bin/python3\n"})
            shop.change(copy=[".venv"])
            env = programs(shop, claude=claude(auth='{"loggedIn": false}'), tee="cat")
            said = shop.main("doctor", env=env)
        printed = f"$ rorchestrator doctor\n{said.out}".replace(shop.root, "/home/you")
        sample = samples("commands/doctor.md")[0]
        self.assertEqual(*(lasting(OF_MACHINE.sub("", text)) for text in (printed, sample)))

    def test_dependencies_that_are_missing_risky_and_needless(self) -> None:
        found = [
            {
                "id": "auth",
                "prompt": "Add `src/auth.py`.",
                "creates": ["path:src/auth.py", "symbol:Authenticator"],
            },
            {
                "id": "api",
                "prompt": "Add `src/api.py`. It imports `src/auth.py`.",
                "uses": ["symbol:Authenticator"],
            },
            {"id": "web", "prompt": "Extend `src/app.py`.", "depends_on": ["api"]},
            {
                "id": "mail",
                "prompt": "Add `src/mail.py`. The mails link to the pages of web.",
                "depends_on": ["web", "api"],
            },
            {"id": "help", "prompt": "Extend `src/app.py`."},
        ]
        with Workspace(found) as shop:
            said = shop.main("assist")
        printed = f"$ rorchestrator assist\n{said.out}"
        self.assertEqual(printed, samples("commands/assist.md")[0])

    def test_why_a_feature_runs_again(self) -> None:
        entry = {"id": "auth", "name": "Sign-in", "prompt_file": "auth.md"}
        with Workspace([entry]) as shop:
            shop.write({"prompts/auth.md": "Add sign-in.\n"})
            shop.run()
            shop.write({"prompts/auth.md": "Add sign-in and sign-up.\n"})
            said = shop.main("why", "auth")
        printed = f"$ rorchestrator why auth\n{said.out}"
        self.assertEqual(printed, samples("commands/why.md")[0])


class OfARunInTheMiddle(unittest.TestCase):
    """What needs no repository: the lines are made of events."""

    maxDiff = None

    def test_the_live_view(self) -> None:
        ids = ["auth", "api", "search", "billing", "web", "docs"]
        state = live_runs.state_of(
            live_runs.begun(ids),
            live_runs.failed("auth", START + 110, "the check `npm test` keeps failing"),
            live_runs.after("search", START + 212, live_runs.CUT),
            live_runs.at_work("search", START + 221, number=2),
            live_runs.at_work("api", START + 302),
            live_runs.prepared("billing", NOW - 140),
            events.setting_up(NOW - 130, live_runs.RUN, "billing"),
        )
        told = {
            "api": Activity(
                *("Edit src/api/routes.py", 12, 34_200, None, NOW - 3, (), {"opus": 34_200})
            ),
            "search": Activity(
                *("$ npm run test", 31, 240_000, None, NOW - 190, (), {"opus": 240_000})
            ),
        }
        lines = live_lines(state, NOW, Style(), 24, Facts(told, cap_usd=10.0))
        self.assertEqual("\n".join([*lines, ""]), samples("commands/run.md")[0])

    def test_the_line_a_minute_of_a_run_without_a_terminal(self) -> None:
        ids = ["auth", "login", "logout", "api", "web", "docs", "app"]
        state = live_runs.state_of(
            live_runs.begun(ids),
            *(live_runs.completed(id, START + 300) for id in ids[:3]),
            live_runs.at_work("api", START + 310),
        )
        action = Activity("Edit src/api/routes.py", 12, 34_200, None, NOW - 3, (), {"opus": 34_200})
        line = heartbeat(state, NOW, Style(), {"api": action}, 20.0)
        sample = samples("CI.md")[0]
        self.assertEqual(line.split("] ")[1], sample.rstrip().split("] ")[1])
        self.assertEqual(lasting(line), lasting(sample))

    def test_a_run_that_goes_on_in_the_background(self) -> None:
        path = "/home/you/shop/.git/rorchestrator/logs/20260102T143015-abcdef/run.log"
        self.assertEqual(started(4711, path), samples("commands/run.md")[1])

    def test_other_numbers_of_slots(self) -> None:
        plan = plan_of(DIAMOND)
        seconds = {id: each.seconds for id, each in plan.predictions.items()}
        lines = what_if_lines(plan, choices(DAGResolver(DIAMOND), seconds), Style())
        printed = "\n".join(("$ rorchestrator plan --what-if", *lines, ""))
        self.assertEqual(printed, samples("commands/plan.md")[1])

    def test_what_is_done_by_a_time(self) -> None:
        ids = ("auth", "api", "search", "cart", "mail")
        features = [Feature(id, id) for id in (*ids, "tax", "stock", "admin")]
        plan = plan_of(features, max_cost_usd=10.0)
        found = Reachable(ids, 0.87, 11_100.0, 8.2, 0)
        at = datetime(2026, 1, 2, 18).timestamp()
        lines = deadline_lines(plan, found, at, 12_120.0, Style())
        printed = "\n".join(("$ rorchestrator plan --by 18:00 --max-cost 10", *lines, ""))
        self.assertEqual(printed, samples("commands/plan.md")[2])

    def test_past_runs_and_their_medians(self) -> None:
        def ran(id: str, seconds: float, usd: float, *tags: str, how: str = "completed") -> Past:
            return Past(id, how, seconds, usd, 10, 1, tags)

        features = (
            ran("auth", 552, 0.9, "backend"),
            ran("api", 1200, 1.34, "backend", how="failed"),
            ran("search", 610, 1.1),
        )
        first, second = datetime(2026, 1, 2, 14, 30, 15), datetime(2026, 1, 3, 9, 12, 7)
        runs = [
            PastRun("20260102T143015-abcdef", first.timestamp(), 1490, 1, "", 3, features),
            PastRun(
                *("20260103T091207-0ff90c", second.timestamp(), 491, 0, "", 3),
                (ran("api", 485, 0.61, "backend"),),
            ),
        ]
        third = datetime(2026, 1, 3, 9, 31, 7).timestamp()
        landings = dict.fromkeys(("auth",), Landing("", "", None, ""))
        move = Move("merge-20260103T093107-0ff90c", third, "main", "", "", "", landings)
        landed = landing_lines([replace(move, undone_at=third + 31 * 60)], Style())
        lines = (*history.overview(runs, Style()), *landed)
        printed = "".join(f"{line}\n" for line in lines)
        self.assertEqual(f"$ rorchestrator history\n{printed}", samples("commands/history.md")[0])


class Steering(WorkspaceTest):
    maxDiff = None

    def test_the_replies_of_a_run(self) -> None:
        go = self.workspace.beside("go")
        self.workspace.features(
            feature("auth", {"wait": go}),
            feature("api", depends_on=["auth"]),
            feature("other", {"wait": go}),
            feature("search", depends_on=["other"]),
            max_parallel=2,
        )
        run = self.workspace.start("run", "--yes")
        wait_until(lambda: self.workspace.attempts("auth"), "auth runs")
        sample = samples("commands/steering.md")[0]
        printed = ""
        for command in re.findall(r"^\$ rorchestrator (.*)$", sample, re.MULTILINE):
            printed += f"$ rorchestrator {command}\n{self.workspace.command(*command.split()).out}"
        self.workspace.touch("go")
        run.end()
        self.assertEqual(printed, sample)

    def test_a_list_that_changes_while_it_runs(self) -> None:
        go = self.workspace.beside("go")
        auth, waits = feature("auth", {"wait": go}), {"depends_on": ["auth"]}
        self.workspace.features(auth, feature("api", **waits), feature("search", **waits))
        run = self.workspace.start("run", "--yes")
        wait_until(lambda: self.workspace.attempts("auth"), "auth runs")
        auth["prompt"] = f"Better.\n{auth['prompt']}"
        api = feature("api", {"write": "other.md"}, **waits)
        self.workspace.features(auth, api, feature("export", **waits))
        sample = samples("commands/reload.md")[0]
        printed = ""
        for command in re.findall(r"^\$ rorchestrator (.*)$", sample, re.MULTILINE):
            printed += f"$ rorchestrator {command}\n{self.workspace.command(*command.split()).out}"
        self.workspace.touch("go")
        run.end()
        self.assertEqual(printed, sample)


if __name__ == "__main__":
    unittest.main()
