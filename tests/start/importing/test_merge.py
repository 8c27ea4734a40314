"""What an import changes, and what it leaves to the user."""

from __future__ import annotations

import json
import unittest
from collections.abc import Mapping, Sequence

from core.model.frozen import replace
from core.start import list_edit
from core.start.importing.items import Item, Source
from core.start.importing.merge import Action, Merge, Target, merged, new_id
from core.start.importing.origin import KEY
from core.start.list_edit import ListFile

CART = Item("T1", "Cart", "Fill it.")
PAGE = Item("T2", "Page", depends_on=("T1",), tags=("US1",), priority=3)


class Project:
    """A list and its prompts, as far as an import needs them."""

    def __init__(self, *features: Mapping[str, object], verify: Sequence[str] = ()) -> None:
        self.features: list[dict[str, object]] = [dict(each) for each in features]
        self.verify = verify
        self.prompts: dict[str, str] = {}
        self.sources = {"tasks.md"}

    def merge(self, *items: Item, file: str = "tasks.md", kind: str = "spec-kit") -> Merge:
        target = Target(
            self.features,
            self.verify,
            self.prompts.get,
            self.prompts.get,
            self.sources.__contains__,
        )
        return merged(Source(kind, items, ("note",)), file, target)

    def take(self, *items: Item, file: str = "tasks.md") -> Merge:
        """Import, and write it."""
        made = self.merge(*items, file=file)
        text = json.dumps({"features": self.features})
        new = list_edit.edited(ListFile("", b"", text), made.changes, made.added)
        self.features = json.loads(new)["features"]
        self.prompts.update({prompt.name: prompt.text for prompt in made.prompts})
        return made

    def feature(self, id: str) -> dict[str, object]:
        return next(each for each in self.features if each["id"] == id)


def actions(made: Merge) -> dict[str, str]:
    return {row.id: row.action.value for row in made.rows}


class First(unittest.TestCase):
    def test_every_item_becomes_a_feature_with_a_prompt(self) -> None:
        project = Project({"id": "old"}, verify=["npm test"])
        made = project.take(CART, replace(PAGE, criteria=("Run `npm test`", "Run `npm run lint`")))
        self.assertEqual(actions(made), {"t1-cart": "new", "t2-page": "new"})
        self.assertEqual(made.notes, ("note",))
        page = project.feature("t2-page")
        origin = page.pop(KEY)
        assert isinstance(origin, dict)
        expected = {
            "id": "t2-page",
            "name": "Page",
            "prompt_file": "t2-page.md",
            "tags": ["US1"],
            "depends_on": ["t1-cart"],
            "priority": 3,
            "verify": ["npm run lint"],
        }
        self.assertEqual(page, expected)
        self.assertEqual(list(origin), ["file", "kind", "key", "hash"])
        hashed = {"name", "tags", "depends_on", "priority", "verify", "prompt"}
        self.assertEqual(set(origin["hash"]), hashed)
        self.assertIn("Fill it.", project.prompts["t1-cart.md"])

    def test_done_items_are_not_added_and_hand_on_their_dependencies(self) -> None:
        items = (CART, replace(PAGE, is_done=True), Item("T3", "Pay", depends_on=("T2",)))
        made = Project().merge(*items)
        self.assertEqual([row.depends_on for row in made.rows], [(), ("t1-cart",)])
        self.assertIn("Not added, because done or left out: 1.", made.notes)

    def test_a_cycle_is_cut_with_a_note(self) -> None:
        made = Project().merge(replace(CART, depends_on=("T2",)), PAGE)
        self.assertEqual([row.depends_on for row in made.rows], [("t2-page",), ()])
        self.assertIn("T2 depends on T1, which closes a cycle: left out.", made.notes)

    def test_ids_are_unique_and_files_are_not_overwritten(self) -> None:
        project = Project({"id": "T1-Cart"}, {"name": 5})
        project.prompts = {"t1-cart-2.md": "another text", "t1-cart-2-2.md": "one more"}
        made = project.merge(CART)
        self.assertEqual(made.added[0]["id"], "t1-cart-2")
        self.assertEqual(made.added[0]["prompt_file"], "t1-cart-2-3.md")
        project.prompts["t1-cart-2.md"] = made.prompts[0].text
        again = project.merge(CART)
        self.assertEqual((again.added[0]["prompt_file"], again.prompts), ("t1-cart-2.md", ()))

    def test_an_id_is_made_of_key_and_title(self) -> None:
        for item, id in (
            (Item("#12", "Fix the login"), "12-fix-the-login"),
            (Item("Cart", "Cart"), "cart"),
            (Item("日本", "日本"), "item"),
            (Item("#12", "日本"), "item-12"),
            (Item("T1", "日本"), "t1"),
            (Item("T1", "T1 cart"), "t1-cart"),
        ):
            self.assertEqual(new_id(item, ()), id)


class Second(unittest.TestCase):
    def setUp(self) -> None:
        self.project = Project({"id": "old", KEY: {"file": "x"}})
        self.project.take(CART, PAGE)

    def hashes(self, id: str) -> dict[str, str]:
        origin = self.project.feature(id)[KEY]
        assert isinstance(origin, dict)
        hashes: dict[str, str] = origin["hash"]
        return hashes

    def test_nothing_changes_if_the_source_did_not(self) -> None:
        made = self.project.merge(CART, PAGE)
        self.assertTrue(made.is_empty)
        self.assertEqual(set(actions(made).values()), {"left"})

    def test_only_what_changed_in_the_source_changes(self) -> None:
        self.project.feature("t2-page").update(model="opus", tags=["mine"])
        page = replace(PAGE, title="The page", depends_on=(), priority=None)
        made = self.project.take(CART, page)
        self.assertEqual(actions(made), {"t1-cart": "left", "t2-page": "changed"})
        self.assertEqual(made.rows[1].changed, ("name", "depends_on", "priority", "prompt"))
        found = self.project.feature("t2-page")
        self.assertEqual(found["name"], "The page")
        self.assertEqual((found["tags"], found["model"]), (["mine"], "opus"))
        self.assertNotIn("depends_on", found)
        self.assertIn("# The page", self.project.prompts["t2-page.md"])
        self.assertTrue(self.project.merge(CART, page).is_empty)

    def test_what_the_user_edited_stays(self) -> None:
        self.project.feature("t2-page")["depends_on"] = ["t1-cart", "old"]
        self.project.prompts["t2-page.md"] += "More.\n"
        page = replace(PAGE, text="Other.", depends_on=(), tags=("US2",))
        made = self.project.take(CART, page)
        row = made.rows[1]
        self.assertEqual((row.action, row.changed), (Action.CHANGED, ("tags",)))
        self.assertEqual(row.kept, ("depends_on", "prompt"))
        self.assertEqual(row.depends_on, ("t1-cart", "old"))
        self.assertEqual(made.prompts, ())
        again = self.project.merge(CART, page)
        self.assertEqual((again.rows[1].action, again.is_empty), (Action.KEPT, True))

    def test_an_edit_that_the_source_made_as_well_is_no_difference(self) -> None:
        page = replace(PAGE, title="The page")
        self.project.feature("t2-page")["name"] = "The page"
        before = self.hashes("t2-page")["name"]
        made = self.project.take(CART, page)
        self.assertEqual(made.rows[1].changed, ("prompt",))
        self.assertNotEqual(self.hashes("t2-page")["name"], before)

    def test_a_prompt_is_written_again_if_it_is_missing(self) -> None:
        del self.project.prompts["t1-cart.md"]
        made = self.project.take(CART, PAGE)
        self.assertEqual(made.rows[0].changed, ("prompt",))
        self.assertIn("t1-cart.md", self.project.prompts)
        self.assertEqual(made.changes, ())

    def test_a_prompt_in_the_list_itself_is_the_users(self) -> None:
        for prompt in ("Fill it.", ["Fill", "it."]):
            feature = self.project.feature("t1-cart")
            feature.pop("prompt_file", None)
            feature["prompt"] = prompt
            made = self.project.merge(replace(CART, text="Other."), PAGE)
            self.assertEqual((made.rows[0].kept, made.prompts), (("prompt",), ()))

    def test_new_items_are_added_and_items_that_are_gone_stay(self) -> None:
        pay = Item("T3", "Pay", depends_on=("T2", "T1", "T9"))
        made = self.project.take(PAGE, pay)
        expected = {"t2-page": "left", "t3-pay": "new", "t1-cart": "gone"}
        self.assertEqual(actions(made), expected)
        self.assertEqual(made.rows[1].depends_on, ("t2-page", "t1-cart"))
        self.assertEqual(made.notes[1:], ("T3 depends on T9, which is not in the plan: left out.",))
        target = Target((), (), {}.get, {}.get, bool)
        partial = merged(Source("issues", (pay,), is_partial=True), "x", target)
        self.assertEqual(partial.notes, ())
        self.assertEqual(len(self.project.features), 4)

    def test_an_item_that_is_done_by_now_stays_and_is_waited_for(self) -> None:
        made = self.project.merge(replace(CART, is_done=True), PAGE)
        self.assertTrue(made.is_empty)
        self.assertIn("Done in the source, still in the list: t1-cart.", made.notes)

    def test_a_source_that_was_moved_is_still_the_same(self) -> None:
        made = self.project.merge(CART, PAGE, file="other.md")
        self.assertEqual(set(actions(made).values()), {"new"})
        self.project.sources = {"other.md"}
        made = self.project.take(CART, replace(PAGE, title="Quite another"), file="other.md")
        self.assertEqual(actions(made), {"t1-cart": "left", "t2-quite-another": "new"})
        origin = self.project.feature("t1-cart")[KEY]
        assert isinstance(origin, dict)
        self.assertEqual(origin["file"], "other.md")

    def test_issues_are_the_same_whatever_file_they_are_in(self) -> None:
        feature = self.project.feature("t1-cart")
        feature[KEY]["kind"] = "issues"  # type: ignore[index]
        self.project.sources = {"tasks.md", "other.json"}
        target = Target(
            self.project.features,
            (),
            self.project.prompts.get,
            {}.get,
            self.project.sources.__contains__,
        )
        made = merged(Source("issues", (CART,), is_partial=True), "other.json", target)
        self.assertEqual([row.action for row in made.rows], [Action.LEFT])

    def test_a_copy_of_a_feature_is_the_users(self) -> None:
        self.project.features.append({**self.project.feature("t1-cart"), "id": "copy"})
        made = self.project.merge(replace(CART, title="Basket"), PAGE)
        self.assertEqual([change.id for change in made.changes], ["t1-cart"])

    def test_hashes_that_are_gone_make_the_users_values_stay(self) -> None:
        feature = self.project.feature("t2-page")
        feature[KEY] = {"file": "tasks.md", "kind": "spec-kit", "key": "T2"}
        made = self.project.merge(CART, replace(PAGE, title="Other"))
        self.assertEqual(made.rows[1].kept, ("name", "prompt"))

    def test_dependencies_that_close_a_cycle_with_the_users_own_are_left(self) -> None:
        self.project.feature("t1-cart")["depends_on"] = ["old"]
        self.project.feature("old")["depends_on"] = ["t2-page", "unknown"]
        self.project.feature("t2-page").pop("depends_on")
        page = replace(PAGE, depends_on=("T1",), tags=("US9",))
        self.project.feature("t2-page")[KEY]["hash"].pop("depends_on")  # type: ignore[index]
        made = self.project.merge(CART, page)
        self.assertEqual((made.rows[1].changed, made.rows[1].kept), (("tags",), ("depends_on",)))
        self.assertEqual(made.changes[0].put["tags"], ["US9"])
        self.assertNotIn("depends_on", made.changes[0].put)
