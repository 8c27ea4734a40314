"""Settings and variables of the user's that change what git prints change no answer of ours."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping, Sequence

from core.git import (
    bare_status,
    checkouts,
    commits,
    configuration,
    history,
    merged,
    merging,
    replica,
    staging,
    submodules,
    worktree_status,
)
from core.git.door import Git
from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

OUTPUT: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        (
            *("color.ui", "color.branch", "color.diff", "color.grep", "color.interactive"),
            *("color.push", "color.remote", "color.showBranch", "color.status"),
            *("color.advice", "color.transport", "color.decorate", "color.blame"),
        ),
        ("always", "never"),
    ),
    **dict.fromkeys(
        (
            *("column.ui", "column.branch", "column.clean", "column.status", "column.tag"),
            *("status.short", "status.branch", "status.showStash", "status.aheadBehind"),
            *("status.relativePaths", "status.submoduleSummary", "status.displayCommentPrefix"),
            *("log.abbrevCommit", "log.follow", "log.mailmap", "log.showRoot", "log.showSignature"),
            *(
                "log.initialDecorationSet",
                "diff.mnemonicPrefix",
                "diff.noprefix",
                "diff.suppressBlankEmpty",
            ),
            *("diff.autoRefreshIndex", "diff.indentHeuristic", "diff.wordDiff"),
            *("grep.lineNumber", "grep.column", "grep.fullName", "grep.extendedRegexp"),
            *("grep.fallbackToNoIndex", "core.quotePath", "core.preferSymlinkRefs"),
            *("core.multiPackIndex", "core.commitGraph", "core.untrackedCache"),
            *("core.protectNTFS", "core.sparseCheckoutCone"),
            *("core.warnAmbiguousRefs", "core.logAllRefUpdates", "core.ignoreStat"),
            *("core.trustctime", "core.splitIndex", "core.preloadIndex", "core.fsmonitor"),
            *("feature.manyFiles", "feature.experimental", "index.sparse", "index.threads"),
            *("index.recordEndOfIndexEntries", "index.skipHash", "blame.blankBoundary"),
            *("blame.showEmail", "blame.showRoot", "blame.coloring", "merge.renormalize"),
            *("merge.branchdesc", "merge.stat", "merge.autoStash", "merge.verifySignatures"),
            *("merge.guitool", "merge.directoryRenames", "rerere.enabled", "rerere.autoUpdate"),
            *("submodule.recurse", "submodule.propagateBranches", "submodule.fetchJobs"),
            *(
                "worktree.guessRemote",
                "worktree.useRelativePaths",
                "tag.gpgSign",
                "tag.forceSignAnnotated",
            ),
            *("commit.verbose", "commit.status", "show.recurse"),
            *("checkout.guess", "push.followTags", "fetch.prune"),
            *("gc.writeCommitGraph", "transfer.advertiseSID", "uploadpack.allowFilter"),
            *("showBranch.default", "am.keepcr", "apply.ignoreWhitespace", "stash.showStat"),
            *("stash.showPatch", "rebase.stat", "pack.writeReverseIndex"),
            *(
                "help.autoCorrect",
                "lsrefs.unborn",
                "branch.autoSetupMerge",
                "branch.autoSetupRebase",
            ),
        ),
        ("true", "false"),
    ),
    "color.pager": ("true", "false"),
    "core.bigFileThreshold": ("100k", "1g"),
    "safe.bareRepository": ("explicit", "all"),
    "branch.autoSetupRebase": ("always", "never"),
    "trailer.separators": ("=", ";"),
    "color.ui": ("always", "true"),
    "column.ui": ("always", "never"),
    "column.branch": ("always,dense", "never"),
    "column.status": ("always", "never"),
    "column.tag": ("always", "never"),
    "log.date": ("relative", "format:%A"),
    "log.decorate": ("full", "short"),
    "log.diffMerges": ("first-parent", "remerge"),
    "log.graphColors": ("red", "blue"),
    "log.excludeDecoration": ("refs/heads/*", "x"),
    "format.pretty": ("oneline", "%an says %s"),
    "format.notes": ("*", "refs/notes/x"),
    "format.subjectPrefix": ("X", "Y"),
    "format.signature": ("X", ""),
    "format.numbered": ("true", "false"),
    "format.useAutoBase": ("true", "whenAble"),
    "notes.displayRef": ("*", "refs/notes/commits"),
    "status.renames": ("copies", "false"),
    "status.renameLimit": ("1", "0"),
    "status.showUntrackedFiles": ("no", "normal"),
    "diff.algorithm": ("histogram", "patience"),
    "diff.colorMoved": ("zebra", "plain"),
    "diff.colorMovedWS": ("ignore-all-space", "no"),
    "diff.context": ("0", "99"),
    "diff.interHunkContext": ("99", "0"),
    "diff.dirstat": ("files,10", "lines"),
    "diff.dstPrefix": ("X/", "Y/"),
    "diff.srcPrefix": ("X/", "Y/"),
    "diff.external": ("false", "true"),
    "diff.ignoreSubmodules": ("all", "dirty"),
    "diff.orderFile": ("/dev/null", "/dev/null"),
    "diff.relative": ("true", "false"),
    "diff.renames": ("copies", "false"),
    "diff.renameLimit": ("1", "0"),
    "diff.statGraphWidth": ("1", "9"),
    "diff.statNameWidth": ("1", "9"),
    "diff.submodule": ("log", "diff"),
    "diff.wordRegex": (".", "x"),
    "diff.wsErrorHighlight": ("all", "none"),
    "diff.tool": ("x", "y"),
    "grep.patternType": ("fixed", "perl"),
    "grep.threads": ("1", "0"),
    "core.abbrev": ("4", "no"),
    "core.pager": ("false", "cat"),
    "core.editor": ("false", "true"),
    "core.commentChar": (";", "auto"),
    "core.whitespace": ("-blank-at-eol,tab-in-indent", "cr-at-eol"),
    "core.attributesFile": ("/nonexistent", ""),
    "core.excludesFile": ("/nonexistent", ""),
    "core.askPass": ("false", ""),
    "core.checkStat": ("minimal", "default"),
    "core.createObject": ("link", "rename"),
    "core.compression": ("0", "9"),
    "core.alternateRefsCommand": ("false", "true"),
    "i18n.logOutputEncoding": ("UTF-16", "ISO-8859-1"),
    "i18n.commitEncoding": ("ISO-8859-1", "UTF-8"),
    "i18n.filesEncoding": ("ISO-8859-1", "UTF-8"),
    "gui.encoding": ("ISO-8859-1", "UTF-8"),
    "branch.sort": ("-committerdate", "-refname"),
    "tag.sort": ("-version:refname", "-refname"),
    "versionsort.suffix": ("-rc", "-pre"),
    "merge.conflictStyle": ("diff3", "merge"),
    "merge.ff": ("only", "false"),
    "merge.log": ("true", "5"),
    "merge.renames": ("false", "true"),
    "merge.renameLimit": ("1", "0"),
    "merge.verbosity": ("5", "0"),
    "merge.suppressDest": ("*", ""),
    "merge.tool": ("x", "y"),
    "merge.defaultToUpstream": ("true", "false"),
    "index.version": ("4", "2"),
    "blame.date": ("relative", "iso"),
    "submodule.active": ("x", "."),
    "submodule.alternateErrorStrategy": ("die", "info"),
    "pager.status": ("false", "cat"),
    "pager.log": ("cat", "false"),
    "pager.show": ("cat", "false"),
    "pager.diff": ("cat", "false"),
    "pager.config": ("cat", "false"),
    "mailmap.file": ("/nonexistent", "/nonexistent"),
    "extensions.worktreeConfig": ("true", "false"),
    "trailer.ifexists": ("replace", "addIfDifferent"),
    "trailer.ifmissing": ("doNothing", "add"),
    "commit.cleanup": ("scissors", "verbatim"),
    "pretty.medium": ("%s", "%b"),
    "alias.status": ("!false", "!true"),
    "interactive.diffFilter": ("false", "cat"),
    "help.format": ("man", "web"),
    "checkout.defaultRemote": ("origin", "x"),
    "checkout.workers": ("0", "1"),
    "advice.detachedHead": ("true", "false"),
    "advice.statusHints": ("true", "false"),
    "advice.graftFileDeprecated": ("true", "false"),
    "advice.worktreeAddOrphan": ("true", "false"),
}
"""Every setting that changes the output of a git command that we read, with two values of each."""

LINES = "".join(f"line {number}\n" for number in range(40))
SAME = "the same in both\n" * 9


def given(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings as a user may give them in his environment."""
    pairs = [(f"KEY_{n}", f"VALUE_{n}", *each) for n, each in enumerate(settings)]
    named = {f"GIT_CONFIG_{key}": name for key, _, name, _ in pairs}
    values = {f"GIT_CONFIG_{key}": value for _, key, _, value in pairs}
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **named, **values}


class Questions(unittest.TestCase):
    """Every question to git, without and with all of the settings at once."""

    repository: Repository
    there: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.repository = repository = Repository()
        cls.addClassCleanup(repository.close)
        files = {"a.txt": LINES, "naïve é.txt": "x\n", "sub/b.txt": "b\n", "gone.txt": SAME}
        repository.commit({**files, ".gitignore": "*.log\n"}, "base")
        for name, line in (("side", 20), ("other", 20), ("main", 3)):
            switch = ["switch", "--quiet", *(["-c"] if name != "main" else []), name]
            repository.git(*switch, *(["main"] if name != "main" else []))
            text = LINES.replace(f"line {line}\n", f"{name}\n")
            repository.commit({"a.txt": text}, f"{name}: é\n\nwords\n\nFeature: {name}")
        repository.git("tag", "v1")
        cls.there = os.path.join(repository.root, "there")
        repository.git("worktree", "add", "--quiet", "-b", "work", cls.there, "main")
        new = {"new é.txt": "n\n", "dir/one": "1", "dir/two": "2", "x.log": "1"}
        renamed = {"gone.txt": None, "renamed.txt": SAME, "a.txt": "changed\n"}
        repository.write({**renamed, **new}, at=cls.there)
        repository.git("add", "renamed.txt", at=cls.there)

    def answers(self, git: Git) -> dict[str, object]:
        at = self.there
        side, main, other = map(self.repository.commit_of, ("side", "main", "other"))
        questions = {
            "refs": git.refs("refs/"),
            "tree": git.tree_of("main"),
            "present": commits.present(git, main, ["sub/", "naïve é.txt", "nope"]),
            "line": commits.has_line(git, main, "^line (4|5)$", ["*.md"]),
            "ignored": worktree_status.ignored_of(git, at, ["x.log", "new é.txt"]),
            "base": git.merge_base(main, side),
            "count": history.count_commits(git, side, main),
            "reflog": history.was_at(git, "refs/heads/main", main),
            "own": history.own_commits(git, side, [main]),
            "trailer": history.trailer(git, side, "Feature"),
            "stat": commits.diffstat(git, main, side),
            "changed": commits.changed_files(git, [(main, side), (side, other)]),
            "added": commits.added_files(git, main, side),
            "files": commits.files_of(git, main),
            "merge": merging.merged_tree(git, main, side),
            "conflict": merging.merged_tree(git, side, other),
            "squashed": merged.squashed(git, side, main),
            "worktrees": checkouts.worktrees(git),
            "status": worktree_status.status_of(git, at, ignored=True),
            "look": worktree_status.status_of(git.read_only(), at),
            "bare status": bare_status.bare_status(git, at, []),
            "hidden": worktree_status.hidden(git, at),
            "head": staging.head_commit(git, at),
            "markers": merging.markers_left(git, main, [side]),
            "equal": merging.equal_files(git, at, main, ["a.txt", "sub/b.txt"]),
            "links": submodules.gitlinks(git, main, side),
            "modes": configuration.modes(git, main, "sub"),
            "hooks": configuration.hooks_folder(git),
            "room": replica.checkout_bytes(git, main, 4096),
        }
        found: dict[str, object] = {name: run_sync(asked) for name, asked in questions.items()}
        found["patches"] = run_sync(merged._changes(git, [side, main, other]))
        again = run_sync(history.recreate_commit(git, side, run_sync(git.tree_of(main)), main))
        found["again"] = self.repository.git("show", "-s", "--format=%an%ae%ad%B", again)
        return found

    def test_no_setting_and_no_variable_changes_an_answer(self) -> None:
        environ = self.repository.environ
        variables = {
            "GIT_TRACE": "1",
            "GIT_TRACE2": "2",
            "GIT_TRACE_SETUP": "/dev/stdout",
            "GIT_DIFF_OPTS": "-u0",
            "GIT_EXTERNAL_DIFF": "false",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_DEFAULT_HASH": "sha256",
            "GIT_PAGER": "false",
            "GIT_NOTES_DISPLAY_REF": "*",
            "GIT_REFLOG_ACTION": "x",
            "GIT_PAGER_IN_USE": "1",
        }
        plain = self.answers(run_sync(open_repository(Spawner(), self.repository.path, environ)))
        self.assertEqual(plain["trailer"], "side")
        for number in (0, 1):
            settings = [(name, values[number]) for name, values in OUTPUT.items()]
            env = {**environ, **variables, **given(settings)}
            answers = self.answers(run_sync(open_repository(Spawner(), self.repository.path, env)))
            for question, answer in answers.items():
                with self.subTest(question, number=number):
                    self.assertEqual(answer, plain[question])


class Commands(unittest.TestCase):
    """Every command, with all of the settings at once."""

    def test_features_are_made_shown_landed_and_removed(self) -> None:
        with Workspace([feature("auth"), feature("api", depends_on=["auth"])]) as space:
            space.environ.update(given([(name, values[0]) for name, values in OUTPUT.items()]))
            for words in (
                ("plan",),
                ("run", "--yes"),
                ("status",),
                ("merge", "--yes"),
                ("cleanup", "--merged", "--yes"),
            ):
                said = space.command(*words)
                self.assertEqual(said.code, 0, f"{words}: {said.out}{said.err}")
            self.assertEqual(space.git("branch", "--list", "--no-column", "--no-color"), "* main")

    def test_settings_of_the_environment_hold_for_our_commits_too(self) -> None:
        with Workspace([feature("auth")]) as space:
            bot = [("user.name", "Bot"), ("user.email", "bot@localhost")]
            space.environ.update(given(bot))
            space.run()
            who = space.git("log", "-1", "--format=%an <%ae>", "feature/auth")
            self.assertEqual(who, "Bot <bot@localhost>")


if __name__ == "__main__":
    unittest.main()
