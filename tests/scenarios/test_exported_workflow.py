"""The exported workflow at work: each script, in folders of its own, as GitHub Actions runs it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import unittest
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec

from core.engines.github_workflow import FETCH, HELPER, RUN
from tests.support.actions import Actions
from tests.support.commands import read_text
from tests.support.forges import TestForge, put_program
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import ORCHESTRATE
from tests.support.repository import Repository
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

FILE = ".github/workflows/features.yml"

ATTACK = """\
env > {leak}
git push https://github.com/acme/shop HEAD:refs/heads/evil
mkdir "$HOME/hooks"
printf '#!/bin/sh\\ntouch {planted}\\n' > "$HOME/hooks/pre-push"
chmod +x "$HOME/hooks/pre-push"
cp "$HOME/hooks/pre-push" "$GITHUB_WORKSPACE/.git/hooks/post-checkout"
git config --global core.hooksPath "$HOME/hooks"
echo c > c.md
"""
"""What the agent of c tries: to push by itself, and to leave something that pushes."""

ONLY_WRITERS = """\
#!/bin/sh
[ "$GH_TOKEN" = token-write ] && exit
echo "remote: Permission to acme/shop.git denied" >&2
exit 1
"""


@unittest.skipUnless(find_spec("yaml"), "PyYAML is a development tool")
class AWorkflow(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace())
        shop = self.workspace
        self.flag = shop.beside("flag")
        self.leak, self.planted = shop.beside("leak"), shop.beside("planted")
        attack = ATTACK.format(leak=self.leak, planted=self.planted)
        shop.features(
            feature("a"),
            feature("b.1", depends_on=["a"], verify=[f"test -e {shlex.quote(self.flag)}"]),
            feature("c", {"bash": attack}, depends_on=["a"]),
            feature("d", depends_on=["b.1", "c", "a"]),
            max_parallel=2,
            verify_attempts=0,
        )
        said = shop.main("export", "github-actions")
        self.assertEqual(said.code, 0, said.err)
        shop.commit({}, "the workflow")
        self.forge = TestForge(shop)
        hook = os.path.join(self.forge.git_folder, "hooks", "pre-receive")
        put_program(os.path.dirname(hook), os.path.basename(hook), ONLY_WRITERS)
        programs = shop.beside("programs")
        run = shlex.join((sys.executable, ORCHESTRATE))
        put_program(programs, "rorchestrator", f'#!/bin/sh\nexec {run} "$@"\n')
        for name in ("npm", "pipx"):
            put_program(programs, name, "#!/bin/sh\n")
        os.makedirs(shop.beside("actions"))
        own = {name: value for name, value in shop.environ.items() if not name.startswith("GIT_")}
        environ = {
            **own,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": f"{programs}{os.pathsep}{shop.environ['PATH']}",
        }
        self.actions = Actions(
            self.document(),
            self.forge.git_folder,
            shop.beside("actions"),
            environ,
            secrets={"ANTHROPIC_API_KEY": "sk-ant-a-key-of-a-test"},
            commit=shop.commit_of("main"),
        )

    def document(self) -> object:
        import yaml

        return yaml.safe_load(read_text(os.path.join(self.workspace.path, FILE)))

    def results(self) -> dict[str, str]:
        """The result of each job."""
        return {id: played.result for id, played in self.actions.jobs.items()}

    def logs(self) -> str:
        """What all jobs printed."""
        return "\n".join(f"== {id}\n{played.log}" for id, played in self.actions.jobs.items())

    def test_a_diamond_fails_in_part_and_is_run_again(self) -> None:
        self.actions.run()
        failed, skipped = ("run-b-1", "report"), ("run-d", "push-d")
        expected = {
            id: "failure" if id in failed else "skipped" if id in skipped else "success"
            for id in self.actions.jobs
        }
        self.assertEqual(self.results(), expected, self.logs())
        summary = self.actions.jobs["report"].summary
        for words in ("| `a` | ✅", "| `b.1` | ❌", "| `c` | ✅", "| `d` | ⛔"):
            self.assertIn(words, summary)
        self.assertEqual(set(self.forge.pulls), {"feature/a", "feature/c"}, self.logs())
        self.assertNotIn("token-", read_text(self.leak))
        self.assertFalse(os.path.exists(self.planted))
        self.assertNotIn("evil", self.forge.branches())
        self.assertIn("fetched: a, c\n", self.workspace.main("pr", "--run-id", "4711-1").err)

        self.workspace.touch("flag")
        self.actions.attempt = 2
        self.actions.run("run-b-1")
        self.assertEqual(set(self.results().values()), {"success"}, self.logs())
        files = self.forge.git("ls-tree", "--name-only", "feature/d").splitlines()
        self.assertLessEqual({"a.md", "b.1.md", "c.md", "d.md"}, set(files))
        bases = {branch: pull["base"] for branch, pull in self.forge.pulls.items()}
        both = dict.fromkeys(("feature/b.1", "feature/c"), "feature/a")
        self.assertEqual(bases, {"feature/a": "main", **both, "feature/d": "feature/d+base"})
        self.assertNotIn("sk-ant-a-key", self.logs())
        self.assertTrue(os.path.exists(self.actions.artifact("report", "report.html")))
        self.at_home()

    def at_home(self) -> None:
        """What a user does then, in his own repository."""
        shop = self.workspace
        said = shop.main("pr", "--run-id", "4711-1")
        self.assertEqual((said.code, said.err), (0, "fetched: b.1, d\n"))
        self.assertEqual(shop.statuses(), dict.fromkeys(("a", "b.1", "c", "d"), "completed"))
        told = shop.main("plan", "--json").json
        self.assertEqual({each["action"] for each in told["features"]}, {"skip"})
        self.assertIn("fetched: nothing new", shop.main("pr", "--run-id", "4711-1").err)
        self.assertEqual(shop.main("pr", "--run-id", "4711-1", "--json").err, "")
        said = shop.main("pr", "--run-id", "4711-2")
        self.assertIn("origin has no report of run 4711-2", said.err)
        said = shop.main("pr", "--run-id", "4711-1", "--dry-run")
        self.assertIn("--dry-run changes nothing", said.err)

    def test_from_a_tag_pull_requests_lead_to_the_branch_of_the_workflow(self) -> None:
        shop = self.workspace
        self.assertEqual(shop.main("export", "github-actions", "--only", "a").code, 0)
        self.actions.commit = shop.commit({}, "a alone")
        shop.git("tag", "v1")
        writer = {"GH_TOKEN": "token-write"}
        shop.git("push", "--quiet", "origin", "main", "v1", env=writer)
        self.actions.document, self.actions.inputs = self.document(), {"base": "v1"}
        self.actions.run()
        self.assertEqual(set(self.results().values()), {"success"}, self.logs())
        self.assertEqual(self.forge.pulls["feature/a"]["base"], "main")

    def test_a_key_that_is_missing_and_a_list_that_changed_stop_it(self) -> None:
        self.actions.secrets = {}
        self.actions.run()
        self.assertIn("::error::add the repository secret", self.actions.jobs["run-a"].log)
        self.assertEqual(self.actions.jobs["run-b-1"].result, "skipped")
        self.workspace.change([feature("a"), feature("c")])
        self.workspace.commit({}, "another list")
        writer = {"GH_TOKEN": "token-write"}
        self.workspace.git("push", "--quiet", "origin", "main", env=writer)
        self.actions.jobs.clear()
        self.actions.run()
        self.assertIn("workflow.yml no longer matches the list", self.actions.jobs["plan"].log)
        results = self.results()
        self.assertEqual(results.pop("plan"), "failure")
        self.assertEqual(set(results.values()), {"skipped"})


class _Private(BaseHTTPRequestHandler):
    """A server that reads nobody's repository, and asks who is there."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.given.append(given)  # type: ignore[attr-defined]
        self.send_response(404 if given else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class WhatAMachineKnows(unittest.TestCase):
    def test_it_has_the_reports_of_its_run_and_those_of_the_feature_in_any_run(self) -> None:
        with Repository() as shop:
            runs = "refs/rorchestrator/runs/"
            for name in ("1-1/auth", "1-1/api", "2-1/auth", "2-1/api"):
                shop.git("update-ref", runs + name, "main")
            clone = os.path.join(shop.root, "clone")
            shop.git("clone", "--quiet", "--no-checkout", shop.path, clone)
            shop.git("update-ref", "--no-deref", "HEAD", shop.commit_of("main"), at=clone)
            env = {**shop.environ, "HELPER": HELPER, "RUN": "2-1", "FEATURE": "auth"}
            subprocess.run(["bash", "-e", "-c", FETCH], cwd=clone, env=env, check=True)
            known = shop.git("for-each-ref", "--format=%(refname)", runs, at=clone).split()
        expected = [f"{runs}1-1/auth", f"{runs}2-1/api", f"{runs}2-1/auth"]
        self.assertEqual(known, expected)


class ACancelledJob(unittest.TestCase):
    def test_its_signals_reach_the_command(self) -> None:
        with Repository() as shop:
            names = ("programs", "pid", "script")
            programs, said, step = (os.path.join(shop.root, name) for name in names)
            put_program(programs, "rorchestrator", f"#!/bin/sh\necho $$ > {said}\n")
            env = {
                **shop.environ,
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "RUNNER_TEMP": shop.root,
                "ANTHROPIC_API_KEY": "key",
            }
            with open(step, "w", encoding="utf-8") as file:
                file.write(f"{RUN}\n")
            with subprocess.Popen(["bash", "-e", step], env=env) as script:
                script.wait()
            self.assertEqual(int(read_text(said)), script.pid)


class TheToken(unittest.TestCase):
    def test_git_gives_it_to_the_server_of_the_repository_only(self) -> None:
        with Repository() as shop, HTTPServer(("127.0.0.1", 0), _Private) as server:
            server.given = []  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}"
            env = {"GH_TOKEN": "token-read", "HELPER": HELPER, "GIT_TERMINAL_PROMPT": "0"}
            shop.git("config", "--global", f"credential.{url}.helper", HELPER)
            shop.git("ls-remote", f"{url}/acme/shop", env=env, fails=True)
            other = url.replace("127.0.0.1", "localhost")
            shop.git("ls-remote", f"{other}/acme/shop", env=env, fails=True)
            words = ("-c", f"credential.helper={HELPER}", "ls-remote", f"{url}/acme/shop")
            shop.git(*words, env=env, fails=True)
            server.shutdown()
            given = server.given  # type: ignore[attr-defined]
        known = f"Basic {b64encode(b'x-access-token:token-read').decode()}"
        self.assertEqual(given, ["", known, "", "", known])


if __name__ == "__main__":
    unittest.main()
