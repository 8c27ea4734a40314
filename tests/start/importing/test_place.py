"""The files of an import: read, and written whole or not at all."""

from __future__ import annotations

import io
import json
import os
from unittest import mock

from core.model.errors import UserError
from core.start.importing.items import Item, Source
from core.start.importing.merge import Merge, Prompt, merged
from core.start.importing.place import (
    SOURCE_LIMIT,
    Place,
    first_list,
    new_text,
    origin_file,
    place_of,
    source_text,
    target_of,
    write,
)
from tests.support.commands import read_text, standing_in, streams
from tests.support.feature_lists import InAWorkspace, feature_of, list_of

CART = Item("T1", "Cart")


class Files(InAWorkspace):
    def setUp(self) -> None:
        super().setUp()
        self.write("config/feature_list.json", json.dumps(list_of(), indent=2))

    def path_of(self, *names: str) -> str:
        return os.path.join(self.workspace, *names)

    def place(self) -> Place:
        return place_of(self.path)

    def merge(self, *items: Item) -> tuple[Place, Merge]:
        place = self.place()
        return place, merged(Source("spec-kit", items), "tasks.md", target_of(place))

    def refused(self, place: Place, text: str, *prompts: Prompt) -> str:
        with self.assertRaises(UserError) as raised:
            write(place, text, prompts)
        return raised.exception.message

    def test_a_source_is_read_up_to_a_limit(self) -> None:
        path = self.write("plan.md", "- [ ] a é")
        self.assertEqual(source_text(path), "- [ ] a é")
        for content, why in (
            (b"\xff", "plan.md can't be read: it is not UTF-8"),
            (b"a\0", "plan.md can't be read: it is not text"),
            (b"x" * (SOURCE_LIMIT + 1), "plan.md can't be read: it is larger than 8 MiB"),
        ):
            self.write("plan.md", content)
            with self.assertRaisesRegex(UserError, why):
                source_text(path)
        with self.assertRaisesRegex(UserError, "none can't be read: No such file"):
            source_text("none")
        with self.assertRaisesRegex(UserError, "it is not a regular file"):
            source_text(self.workspace)

    def test_standard_input_is_bounded_and_may_be_closed(self) -> None:
        with mock.patch("sys.stdin", None):
            self.assertEqual(source_text("-"), "")
        for content, why in ((b"\xff", "not UTF-8"), (b"x" * (SOURCE_LIMIT + 1), "larger than 8")):
            given = io.TextIOWrapper(io.BytesIO(content))
            said = self.assertRaisesRegex(UserError, f"standard input can't be read: it is {why}")
            with streams(None, None, given), said:
                source_text("-")

    def test_prompts_and_list_are_written(self) -> None:
        place, made = self.merge(CART)
        paths = write(place, new_text(place, made), made.prompts)
        self.assertEqual(paths, [self.path_of("prompts", "t1-cart.md"), self.path])
        self.assertIn("# Cart", read_text(paths[0]))
        place, made = self.merge(Item("T1", "Cart", "Fill it."))
        write(place, new_text(place, made), made.prompts)
        self.assertIn("Fill it.", read_text(paths[0]))
        self.assertTrue(self.merge(Item("T1", "Cart", "Fill it."))[1].is_empty)

    def test_a_result_that_the_loader_refuses_is_not_written(self) -> None:
        self.write("config/feature_list.json", json.dumps(list_of(project={})))
        place, made = self.merge(CART)
        with self.assertRaisesRegex(UserError, "has 1 fault"):
            new_text(place, made)
        self.write("config/feature_list.json", json.dumps({"project": 5, "features": 5}))
        with self.assertRaisesRegex(UserError, "it has no list of features"):
            target_of(self.place())

    def test_the_checks_of_the_project_are_known(self) -> None:
        verify = ["npm test", ["npm", "run", "lint"]]
        for project, expected in (
            ({"name": "x", "verify": verify}, ["npm test"]),
            ({"verify": "x"}, []),
            (5, []),
        ):
            data = {"project": project, "features": [feature_of()]}
            self.write("config/feature_list.json", json.dumps(data))
            self.assertEqual(target_of(self.place()).checked, expected)

    def test_if_the_list_changed_meanwhile_nothing_is_left(self) -> None:
        place, made = self.merge(CART)
        text = new_text(place, made)
        self.write("config/feature_list.json", "{}")
        self.assertIn("changed meanwhile", self.refused(place, text, *made.prompts))
        self.assertEqual(os.listdir(self.path_of("prompts")), [])

    def test_a_prompt_that_changed_or_appeared_meanwhile_is_left(self) -> None:
        place = self.place()
        path = self.write("prompts/a.md", "edited")
        self.assertIn("changed meanwhile", self.refused(place, "{}", Prompt("a.md", "new", "old")))
        self.assertIn("exists already", self.refused(place, "{}", Prompt("a.md", "new", None)))
        self.assertEqual(read_text(path), "edited")
        with mock.patch(
            "core.start.importing.place.write_whole", side_effect=OSError(28, "No space")
        ):
            self.assertIn("No space", self.refused(place, "{}", Prompt("a.md", "new", "edited")))

    def test_nothing_is_written_outside_of_the_workspace(self) -> None:
        os.rmdir(self.path_of("prompts"))
        os.symlink(self.outside, self.path_of("prompts"))
        place = self.place()
        self.assertIn("leads out of", self.refused(place, "{}", Prompt("a.md", "x", None)))
        self.assertIn("leads out of", self.refused(place, "{}", Prompt("../../b.md", "x", None)))

    def test_an_origin_is_relative_to_the_workspace(self) -> None:
        self.assertEqual(origin_file("-", self.workspace), "-")
        inner = self.path_of("specs", "tasks.md")
        self.assertEqual(origin_file(inner, self.workspace), "specs/tasks.md")
        self.assertEqual(origin_file(self.outside + "/x", self.workspace), "../x")


class NewList(InAWorkspace):
    def test_without_a_list_one_is_made_in_the_repository(self) -> None:
        os.mkdir(os.path.join(self.workspace, ".git"))
        inner = os.path.join(self.workspace, "prompts")
        with standing_in(inner, os.environ):
            place = place_of("")
        self.assertEqual((place.file.path, place.is_new), (self.path, True))
        made = merged(Source("spec-kit", (CART,)), "tasks.md", target_of(place))
        paths = write(place, new_text(place, made), made.prompts)
        schema = os.path.join(os.path.dirname(self.path), "feature_list.schema.json")
        self.assertEqual(paths[1:], [self.path, schema])
        data = json.loads(read_text(self.path))
        self.assertEqual(data["$schema"], "./feature_list.schema.json")
        self.assertEqual(data["project"], {"name": "ws"})
        self.assertFalse(place_of(self.path).is_new)

    def test_a_schema_that_is_there_is_kept(self) -> None:
        path = self.write("config/feature_list.schema.json", "mine")
        place = place_of(self.path)
        self.assertTrue(place.is_new)
        write(place, first_list(""), ())
        self.assertEqual(read_text(path), "mine")

    def test_if_a_file_can_not_be_made_none_is_left(self) -> None:
        place = place_of(self.path)
        self.write("prompts/b.md", "x")
        prompts = (Prompt("a.md", "x", None), Prompt("b.md", "x", None))
        with self.assertRaisesRegex(UserError, "exists already"):
            write(place, "{}", prompts)
        self.assertEqual(os.listdir(os.path.join(self.workspace, "prompts")), ["b.md"])

    def test_a_list_that_can_not_be_used_is_not_replaced(self) -> None:
        os.mkdir(os.path.join(self.workspace, ".git"))
        os.mkdir(self.path)
        with standing_in(self.workspace, os.environ), self.assertRaises(UserError):
            place_of("")
        with self.assertRaisesRegex(UserError, "no feature list in"):
            place_of(self.workspace + "/prompts")
