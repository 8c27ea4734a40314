"""What `creates` and `uses` promise; names are looked for with the git that is there."""

from __future__ import annotations

import unittest

from core.git import commits
from core.git.door import Git
from core.git.opening import open_repository
from core.model.contracts import PROSE, Contract, Kind, contract, contracts, definition, fault
from core.process.spawner import Spawner, run_sync
from tests.support.repository import Repository

DEFINED = {
    "a.py": "class TaskStorage(Base):\n    limit = 3\n    async def save(self): ...\n"
    "TOTAL: int = 1\n",
    "a.rb": "class Api::Gtin\n  def self.check!(x)\n  end\n  def valid?\n  attr_reader :code\n  "
    "scope :done\nend\nOld = Struct.new(:a)\n",
    "a.ts": "export default class Store {\n  render() {\n}\nexport const useTasks = () => 1\n"
    "export async function load(x) {\nfunction* walk() {}\nexport type Id = string\n"
    "  title: string\n",
    "a.go": "func (t *Task) Done() bool {\ntype Task struct {\n",
    "a.rs": "pub(crate) fn parse<T>(x: T) {\nimpl Foo {\npub struct Line;\n",
    "a.java": "public static List<String> names(int a) {\nprivate int count = 0;\n"
    "public Task(String x) {\n",
    "a.c": "#define LIMIT 3\nint add(int a, int b)\n{\nstatic char *name_of(int a)\n"
    "static std::vector<int> all_of(int a);\n",
    "a.sql": "CREATE TABLE IF NOT EXISTS tasks (\nCREATE VIEW open_tasks AS\n",
    "a.rb.migrate": 'create_table "people" do\n',
}
NAMES = (
    *("TaskStorage", "limit", "save", "TOTAL", "Api::Gtin", "check!", "valid?", "code", "done"),
    *("Old", "Store", "render", "useTasks", "load", "walk", "Id", "title", "Done", "Task"),
    *(
        "parse",
        "Line",
        "names",
        "count",
        "LIMIT",
        "add",
        "name_of",
        "all_of",
        "tasks",
        "open_tasks",
    ),
    *("people", "TaskStorage.save", "Api::Gtin#valid?"),
)

USED = {
    "use.py": "from a import Missing\nclass Own(Missing):\n"
    "    def f(self, x: Missing) -> Missing:\n        return Missing(x)\n"
    "# class Missing\nif Missing(x):\n    y = Missing\n"
    'print("class Missing")\nMissingToo = 1\n_Missing = 2\nif x == Missing == 3: pass\n',
    "use.ts": "import { Missing } from 'a'\nclass Own extends Missing {\nconst x = new Missing()\n"
    "// function Missing\nconst { Missing } = require('a')\npublic class Own extends Missing {\n"
    "private readonly x: Missing;\nlet y: Missing = z\n",
    "use.go": "func f(m Missing) {\n",
    "README.md": "class Missing is what you need\nMissing: yes\n",
    "notes.txt": "def Missing\n",
    "binary": b"\0\1class Missing\n\0",
}


class Entries(unittest.TestCase):
    def test_an_entry_of_one_of_the_three_forms_is_a_contract(self) -> None:
        entries = ["path:src/task.py", "symbol: TaskStorage ", "command:python -m todo --help"]
        self.assertEqual(
            contracts(entries),
            [
                Contract(Kind.PATH, "src/task.py"),
                Contract(Kind.SYMBOL, "TaskStorage"),
                Contract(Kind.COMMAND, "python -m todo --help"),
            ],
        )
        self.assertEqual(str(contract(entries[0])), entries[0])

    def test_free_text_is_documentation(self) -> None:
        texts = ["src/task.py", "a class", "note: path:x", "Path:x", "paths:x", "", ":x", "path"]
        self.assertEqual(contracts(texts), [])

    def test_a_promise_that_nobody_can_keep_is_a_fault(self) -> None:
        cases = {
            "path:": "is incomplete: nothing follows the colon",
            "command:  ": "is incomplete: nothing follows the colon",
            "path:/etc/passwd": "is no path inside the repository",
            "path:a/../../b": "is no path inside the repository",
            "path:a..b/c": "",
            "symbol:..": "",
            "command:/bin/true": "",
        }
        for entry, expected in cases.items():
            with self.subTest(entry):
                promise = contract(entry)
                assert promise is not None
                self.assertEqual(fault(promise), expected)


class Definitions(unittest.TestCase):
    repository: Repository
    git: Git

    @classmethod
    def setUpClass(cls) -> None:
        cls.repository = Repository()
        cls.addClassCleanup(cls.repository.close)
        cls.git = run_sync(open_repository(Spawner(), cls.repository.path, cls.repository.environ))
        cls.defined = cls.repository.commit(DEFINED)
        cls.repository.git("rm", "--quiet", "-r", ".")
        cls.used = cls.repository.commit(dict(USED))

    def is_defined(self, commit: str, name: str) -> bool:
        return run_sync(commits.has_line(self.git, commit, definition(name), exclude=PROSE))

    def test_a_name_is_found_where_it_is_defined_in_the_languages_of_today(self) -> None:
        for name in NAMES:
            with self.subTest(name):
                self.assertTrue(self.is_defined(self.defined, name))

    def test_a_name_that_is_only_used_or_spoken_of_is_not_defined(self) -> None:
        for name in ("Missing", "MissingT", "issing", "Own2"):
            with self.subTest(name):
                self.assertFalse(self.is_defined(self.used, name))

    def test_a_name_is_no_pattern(self) -> None:
        for name in ("Task.*", "T[a]sk", "(", "a|b", "*", "^", "\\", "Tas(k)", "...", "$x", "a{2}"):
            with self.subTest(name):
                self.assertFalse(self.is_defined(self.used, name))
