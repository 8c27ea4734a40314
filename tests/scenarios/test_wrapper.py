"""`install/wrapper.sh`, the global command: real bash, real git, a small tool to fetch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Callable

from tests.support.once import skip_if_run_elsewhere

WRAPPER = Path(__file__).resolve().parent.parent.parent / "install" / "wrapper.sh"
NEEDED = [
    "bash",
    "cat",
    "dirname",
    "env",
    "find",
    "git",
    "mkdir",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sleep",
    "sort",
    "tail",
    "touch",
]
DEADLINE_SECONDS = 20

# What is fetched: answers with what it was given, from the version that it is.
TOOL = """\
import json, os, signal, sys
args = sys.argv[1:]
if args[:1] == ["exit"]:
    sys.exit(int(args[1]))
if args == ["cat"]:
    sys.stdout.write(sys.stdin.read())
elif args == ["wait"]:
    def told(number, frame):
        import late  # what a running version loads, it must find: late is its own
        os.write(1, f"signal {number} in {late.VERSION}\\n".encode())
        sys.exit(7)
    signal.signal(signal.SIGTERM, told)
    os.write(1, f"{os.getpid()}\\n".encode())
    while True:
        signal.pause()
else:
    import late
    print(json.dumps({"version": late.VERSION, "args": args, "env": dict(os.environ)}))
"""

_shared: tempfile.TemporaryDirectory[str]
_source: Path


def _environment(home: Path) -> dict[str, str]:
    """All that the wrapper and git get to see: nothing of the caller's but the PATH."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "RORCHESTRATOR_PYTHON": sys.executable,
    }


def _make_source(root: Path) -> Path:
    """A repository with versions, and with what must not be taken for one."""
    source = root / "the source"
    source.mkdir()
    who = {"NAME": "Test", "EMAIL": "test@localhost"}
    env = _environment(root)
    env.update({f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()})

    def git(*args: str) -> None:
        subprocess.run(["git", *args], cwd=source, env=env, check=True, capture_output=True)

    def commit(version: str) -> None:
        (source / "late.py").write_text(f"VERSION = {version!r}\n", encoding="utf-8")
        git("add", "--all")
        git("commit", "--quiet", "--message", version)

    git("init", "--quiet")
    (source / "orchestrate.py").write_text(TOOL, encoding="utf-8")
    for version in ("v1.0.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1"):
        commit(version)
        git("tag", version)
    commit("not a version")
    git("tag", "v3")
    git("branch", "v1.0.0")  # a branch of a version's name is not that version
    git("rm", "--quiet", "orchestrate.py")
    commit("not the tool")
    git("tag", "v0.0.1")
    return source


def setUpModule() -> None:
    skip_if_run_elsewhere()
    global _shared, _source
    _shared = tempfile.TemporaryDirectory(prefix="ror-wrapper-")
    _source = _make_source(Path(_shared.name))


def tearDownModule() -> None:
    _shared.cleanup()


class WrapperTest(unittest.TestCase):
    """A home of its own for each test, with the wrapper alone in `~/bin`."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror wrapper ")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.home = self.root / "home of é"
        self.cwd = self.root / "some where"
        self.bin = self.home / "bin"
        for each in (self.bin, self.cwd):
            each.mkdir(parents=True)
        self.command = self.bin / "rorchestrator"
        shutil.copy(WRAPPER, self.command)
        self.tool = self.home / "data" / "rorchestrator"
        self.env = {**_environment(self.home), "RORCHESTRATOR_SOURCE": str(_source)}

    def start(self, *args: str, command: Path | None = None) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [str(command or self.command), *args],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        self.addCleanup(self.end, child)
        return child

    def end(self, child: subprocess.Popen[str]) -> None:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()

    def run_wrapper(
        self, *args: str, stdin: str = "", command: Path | None = None
    ) -> tuple[int, str, str]:
        child = self.start(*args, command=command)
        out, err = child.communicate(stdin, timeout=DEADLINE_SECONDS)
        return child.returncode, out, err

    def answer(self, *args: str, command: Path | None = None) -> dict[str, object]:
        code, out, err = self.run_wrapper(*args, command=command)
        self.assertEqual(code, 0, err)
        value = json.loads(out)
        assert isinstance(value, dict)
        return value

    def version(self) -> object:
        return self.answer()["version"]

    def refused(self, *args: str, saying: str) -> str:
        """The wrapper refuses: exit 2, nothing on stdout, the reason and a next step on stderr."""
        code, out, err = self.run_wrapper(*args)
        self.assertEqual((code, out), (2, ""), err)
        self.assertIn(saying, err)
        self.assertRegex(err, r"(?s)^rorchestrator: .+\n  \S|\nrorchestrator: .+\n  \S")
        return err

    def cut_off(self) -> None:
        """From here on there is nothing to fetch from."""
        self.env["RORCHESTRATOR_SOURCE"] = str(self.root / "gone")

    def versions(self) -> list[str]:
        folder = self.tool / "versions"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def script(self, folder: Path, name: str, body: str) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / name
        if path.is_symlink():
            path.unlink()
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def bare_path(self) -> Path:
        """The PATH becomes one folder: what the wrapper needs, and no Python."""
        folder = self.root / "bare"
        folder.mkdir()
        for name in NEEDED:
            found = shutil.which(name)
            assert found is not None, name
            (folder / name).symlink_to(found)
        self.env["PATH"] = str(folder)
        del self.env["RORCHESTRATOR_PYTHON"]
        return folder

    def git_that(self, body: str) -> None:
        """A git before the real one: `body` sees the same arguments first."""
        real = shutil.which("git")
        self.script(self.root / "shim", "git", f'{body}\nexec "{real}" "$@"')
        self.env["PATH"] = f"{self.root / 'shim'}{os.pathsep}{os.environ['PATH']}"

    def real_git_again(self) -> None:
        self.env["PATH"] = os.environ["PATH"]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.01)


class Starting(WrapperTest):
    def test_the_first_start_fetches_the_tagged_version_and_runs_it(self) -> None:
        code, out, err = self.run_wrapper("plan")
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["version"], "v1.0.0")
        self.assertIn("fetching v1.0.0", err)
        self.assertEqual(self.versions(), ["v1.0.0"])

    def test_later_starts_need_no_source_and_say_nothing(self) -> None:
        self.version()
        self.cut_off()
        code, _, err = self.run_wrapper("plan")
        self.assertEqual((code, err), (0, ""))

    def test_without_xdg_data_home_the_tool_goes_to_local_share(self) -> None:
        for useless in ("", "relative"):
            with self.subTest(useless):
                self.env["XDG_DATA_HOME"] = useless
                self.assertEqual(self.version(), "v1.0.0")
                self.cut_off()
        self.assertTrue((self.home / ".local/share/rorchestrator/versions/v1.0.0").is_dir())

    def test_a_relative_source_is_resolved_against_the_current_folder(self) -> None:
        self.env["RORCHESTRATOR_SOURCE"] = os.path.relpath(_source, self.cwd)
        self.assertEqual(self.version(), "v1.0.0")

    def test_the_current_folder_may_be_gone(self) -> None:
        lost = self.root / "lost"
        lost.mkdir()
        line = 'cd "$1" && rmdir "$1" && "$2" exit 0'
        done = subprocess.run(
            ["bash", "-c", line, "bash", str(lost), str(self.command)],
            env=self.env,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_two_first_starts_at_once_both_end_well(self) -> None:
        met = self.root / "met"
        met.mkdir()
        self.git_that(f"""case " $* " in *" checkout "*)
            touch "{met}/$$"
            while [ "$(ls "{met}" | wc -l)" -lt 2 ]; do sleep 0.02; done ;;
        esac""")
        both = [self.start("plan"), self.start("plan")]
        for child in both:
            out, err = child.communicate(timeout=DEADLINE_SECONDS)
            self.assertEqual(child.returncode, 0, err)
            self.assertEqual(json.loads(out)["version"], "v1.0.0")
        self.assertEqual(self.versions(), ["v1.0.0"])
        self.assertNotIn(".new-", " ".join(os.listdir(self.tool / "versions/v1.0.0")))

    def test_a_wrapper_in_a_clone_runs_the_clone_also_through_a_symlink(self) -> None:
        clone = self.root / "my clone"
        shutil.copytree(_source, clone)
        (clone / "orchestrate.py").write_text(TOOL, encoding="utf-8")
        (clone / "late.py").write_text("VERSION = 'mine'\n", encoding="utf-8")
        (clone / "install").mkdir()
        shutil.copy(WRAPPER, clone / "install/wrapper.sh")
        link = self.bin / "linked"
        link.symlink_to(os.path.relpath(clone / "install/wrapper.sh", self.bin))
        for command in (clone / "install/wrapper.sh", link):
            with self.subTest(command.name):
                self.assertEqual(self.answer(command=command)["version"], "mine")
        code, _, err = self.run_wrapper("self-update", command=link)
        self.assertEqual(code, 2)
        self.assertIn(f"git -C '{clone}' pull", err)
        self.env["RORCHESTRATOR_HOME"] = str(clone)
        self.assertEqual(self.version(), "mine")
        self.assertEqual(self.versions(), [])


class PassingOn(WrapperTest):
    def test_arguments_arrive_unchanged(self) -> None:
        odd = ["", "two words", "line\nbreak\n", "*", "$HOME", "'\"\\", "-x", "--", "é🚀"]
        for args in ([], odd, ["self-updates"], ["plan", "self-update"]):
            with self.subTest(args):
                self.assertEqual(self.answer(*args)["args"], args)

    def test_stdin_belongs_to_the_tool_also_on_the_first_start(self) -> None:
        text = "one\ntwo\n" * 1000
        for start in ("first", "later"):
            with self.subTest(start):
                self.assertEqual(self.run_wrapper("cat", stdin=text)[1], text)

    def test_the_exit_code_is_the_tools(self) -> None:
        for expected in (0, 1, 2, 3, 130, 143, 255):
            with self.subTest(expected):
                self.assertEqual(self.run_wrapper("exit", str(expected))[0], expected)

    def test_the_environment_is_the_callers(self) -> None:
        for name in ("VERSION", "version", "source", "name", "self", "target", "link", "git"):
            self.env[name] = "mine"
        self.env["GIT_DIR"] = "a hook's"
        shell_own = {"_", "SHLVL", "PWD", "OLDPWD", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
        for start in ("first", "later"):
            with self.subTest(start):
                seen = self.answer()["env"]
                assert isinstance(seen, dict)
                seen = {k: v for k, v in seen.items() if k not in shell_own}
                self.assertEqual(seen, self.env)

    def test_a_calling_hooks_git_variables_do_not_disturb_the_fetch(self) -> None:
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
            self.env[name] = str(self.root / "a hook's")
        self.env["GIT_QUARANTINE_PATH"] = str(self.root / "a hook's")
        self.assertEqual(self.version(), "v1.0.0")
        self.assertFalse((self.root / "a hook's").exists())

    def test_the_tool_takes_the_wrappers_place_so_that_a_signal_reaches_it(self) -> None:
        child = self.start("wait")
        assert child.stdout is not None
        self.assertEqual(int(child.stdout.readline()), child.pid)
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate(timeout=DEADLINE_SECONDS)
        self.assertEqual((child.returncode, out), (7, "signal 15 in v1.0.0\n"))


class Updating(WrapperTest):
    def test_self_update_takes_the_newest_version_by_number_not_by_letter(self) -> None:
        self.version()
        code, out, err = self.run_wrapper("self-update")
        self.assertEqual(code, 0, err)
        self.assertIn("v1.10.0 is now in use; v1.0.0 is kept", out)
        self.cut_off()
        self.assertEqual(self.version(), "v1.10.0")
        self.assertEqual(self.versions(), ["v1.0.0", "v1.10.0"])

    def test_self_update_takes_a_named_version_newer_or_older(self) -> None:
        self.version()
        for word, version in (("v1.9.0", "v1.9.0"), ("2.0.0-rc.1", "v2.0.0-rc.1")):
            with self.subTest(word):
                self.assertEqual(self.run_wrapper("self-update", word)[0], 0)
                self.assertEqual(self.version(), version)
        self.cut_off()  # what is there already needs no source
        code, out, _ = self.run_wrapper("self-update", "1.0.0")
        self.assertEqual((code, self.version()), (0, "v1.0.0"), out)

    def test_self_update_says_when_there_is_nothing_to_do(self) -> None:
        self.assertEqual(
            self.run_wrapper("self-update")[:2], (0, "rorchestrator v1.10.0 is installed\n")
        )
        self.assertEqual(
            self.run_wrapper("self-update")[:2], (0, "rorchestrator v1.10.0 is already in use\n")
        )

    def test_a_failed_self_update_keeps_the_old_version(self) -> None:
        self.version()
        self.refused("self-update", "v9.9.9", saying="no version v9.9.9")
        self.refused("self-update", "v0.0.1", saying="no orchestrate.py")
        for wrong in ("main", "v3", "", "../v1.0.0", "--help", "v1.0.0/..", "v1.0.0\nx"):
            with self.subTest(wrong):
                self.refused("self-update", wrong, saying="is not a version")
        self.refused("self-update", "v1.9.0", "v1.10.0", saying="is not a version")
        self.cut_off()
        self.refused("self-update", saying="cannot reach")
        self.assertEqual(self.version(), "v1.0.0")
        self.assertEqual(self.versions(), ["v1.0.0"])

    def test_self_update_does_not_disturb_a_run_of_the_old_version(self) -> None:
        child = self.start("wait")
        assert child.stdout is not None
        child.stdout.readline()
        self.assertEqual(self.run_wrapper("self-update")[0], 0)
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.communicate(timeout=DEADLINE_SECONDS)[0], "signal 15 in v1.0.0\n")

    def test_a_current_version_that_was_removed_is_fetched_again(self) -> None:
        self.run_wrapper("self-update", "v1.9.0")
        shutil.rmtree(self.tool / "versions")
        self.assertEqual(self.version(), "v1.9.0")
        (self.tool / "current").write_text("../../elsewhere\n", encoding="utf-8")
        self.assertEqual(self.version(), "v1.0.0")


class WithoutVersions(WrapperTest):
    """A source that has no tag yet, as a fresh clone of ours has none."""

    def setUp(self) -> None:
        super().setUp()
        self.source = self.root / "untagged"
        self.git("init", "--quiet", str(self.source), at=self.root)
        (self.source / "orchestrate.py").write_text(TOOL, encoding="utf-8")
        self.env["RORCHESTRATOR_SOURCE"] = str(self.source)

    def git(self, *args: str, at: Path | None = None) -> str:
        who = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
        done = subprocess.run(
            ["git", *who, *args],
            cwd=at or self.source,
            env=_environment(self.home),
            check=True,
            capture_output=True,
        )
        return done.stdout.decode().strip()

    def commit(self, version: str) -> str:
        (self.source / "late.py").write_text(f"VERSION = {version!r}\n", encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", version)
        return "head-" + self.git("rev-parse", "HEAD")

    def test_the_wrapper_follows_head_until_there_is_a_version(self) -> None:
        self.assertIn("nor a commit", self.refused("plan", saying="neither a version"))
        first = self.commit("one")
        self.assertEqual(self.version(), "one")
        second = self.commit("two")
        self.assertEqual(self.version(), "one")
        self.assertEqual(self.run_wrapper("self-update")[0], 0)
        self.assertEqual(self.version(), "two")
        self.assertEqual(self.versions(), sorted([first, second]))
        third = self.commit("three")
        shutil.rmtree(self.tool / "versions")  # that commit may be gone from the source
        self.assertEqual(self.version(), "three")
        self.assertEqual(self.versions(), [third])
        self.git("tag", "v1.2.0")
        self.assertEqual(self.run_wrapper("self-update")[0], 0)
        self.assertEqual(self.versions(), [third, "v1.2.0"])
        self.assertEqual((self.tool / "current").read_text(encoding="utf-8"), "v1.2.0\n")


class Missing(WrapperTest):
    def test_without_python_it_says_what_to_install(self) -> None:
        bare = self.bare_path()
        self.refused("plan", saying="no Python 3.9 or newer")
        self.script(bare, "python3", '[ "$1" = -V ] && echo Python 3.8.18; exit 1')
        self.assertIn("Python 3.8.18", self.refused("plan", saying="no Python 3.9 or newer"))
        self.assertEqual(self.versions(), [])

    def test_an_old_python3_is_passed_over_for_a_newer_one(self) -> None:
        bare = self.bare_path()
        self.script(bare, "python3", "exit 1")
        self.script(bare, "python3.9", f'exec "{sys.executable}" "$@"')
        self.assertEqual(self.version(), "v1.0.0")

    def test_a_named_python_that_does_not_do_is_an_error(self) -> None:
        self.env["RORCHESTRATOR_PYTHON"] = "/nowhere/python3"
        self.refused("plan", saying="RORCHESTRATOR_PYTHON is '/nowhere/python3'")

    def test_without_git_it_says_what_to_install(self) -> None:
        (self.bare_path() / "git").unlink()
        self.refused("plan", saying="git is not on the PATH")

    def test_offline_on_the_first_start_it_says_so(self) -> None:
        self.cut_off()
        self.assertIn("needs the network", self.refused("plan", saying="cannot reach"))
        self.assertEqual(self.versions(), [])

    def test_a_home_that_is_not_a_clone_is_an_error(self) -> None:
        self.env["RORCHESTRATOR_HOME"] = str(self.root)
        self.refused("plan", saying="has no orchestrate.py")

    def test_a_data_folder_that_cannot_be_made_is_an_error(self) -> None:
        (self.home / "data").write_text("in the way", encoding="utf-8")
        self.refused("plan", saying="cannot write")
        del self.env["XDG_DATA_HOME"], self.env["HOME"]
        self.refused("plan", saying="HOME is not set")


class Interrupted(WrapperTest):
    def test_a_signal_ends_a_fetch_at_once_and_leaves_nothing(self) -> None:
        started = self.root / "started"
        self.git_that(f"""case " $* " in *" fetch "*)
            echo $$ >"{started}.new" && mv "{started}.new" "{started}" && exec sleep 60 ;;
        esac""")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # started with nohup or in the background: it stays ignored
            with self.subTest(number):
                child = self.start("plan")
                self.wait_for(started.exists)
                fetching = int(started.read_text(encoding="utf-8"))
                started.unlink()
                child.send_signal(number)
                out, _ = child.communicate(timeout=DEADLINE_SECONDS)
                self.assertEqual((child.returncode, out), (-number, ""))
                with self.assertRaises(ProcessLookupError):
                    os.kill(fetching, 0)
                self.assertEqual(self.versions(), [])

    def test_a_killed_fetch_counts_for_nothing_and_is_swept_up_later(self) -> None:
        ready = self.root / "ready"
        real = shutil.which("git")
        self.git_that(f"""case " $* " in *" checkout "*)
            "{real}" "$@"; touch "{ready}"; exec sleep 60 ;;
        esac""")
        child = self.start("plan")
        self.wait_for(ready.exists)
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate(timeout=DEADLINE_SECONDS)
        (left,) = self.versions()  # all of v1.0.0 but the last step
        self.assertTrue(left.startswith(".new-"))
        self.real_git_again()
        self.assertEqual(self.version(), "v1.0.0")
        self.assertEqual(self.versions(), [left, "v1.0.0"])
        two_days_ago = time.time() - 2 * 86400
        os.utime(self.tool / "versions" / left, (two_days_ago, two_days_ago))
        self.assertEqual(self.run_wrapper("self-update")[0], 0)
        self.assertEqual(self.versions(), ["v1.0.0", "v1.10.0"])

    def test_half_a_download_does_nothing(self) -> None:
        whole = WRAPPER.read_bytes()
        end = len(whole.rstrip())
        lines = [at for at in range(end) if whole[at : at + 1] == b"\n"]
        last_lines = range(lines[-3], end)
        cuts = sorted({*range(0, end, 97), *lines, *(at + 1 for at in lines), *last_lines})
        trap = self.root / "trap"
        for name in (*NEEDED, "python3"):
            self.script(trap, name, f': >"{self.root}/ran"')
        bash = shutil.which("bash")
        assert bash is not None
        env = {**self.env, "PATH": str(trap)}
        part = self.bin / "part"
        before = sorted(self.root.rglob("*"))
        for cut in cuts:
            part.write_bytes(whole[:cut])
            done = subprocess.run(
                [bash, str(part), "plan"], cwd=self.cwd, env=env, capture_output=True, timeout=20
            )
            self.assertEqual(done.stdout, b"", f"cut at byte {cut}")
        part.unlink()
        self.assertEqual(sorted(self.root.rglob("*")), before)
        self.assertGreater(len(cuts), 200)


if __name__ == "__main__":
    unittest.main()
