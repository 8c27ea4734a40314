"""What was landed and undone, also where the command was killed; `history` shows it."""

from __future__ import annotations

from core.model import events
from core.model.state import Move
from core.model.strategy import Strategy
from tests.support.merges import MergeTest, listed
from tests.support.past_runs import story


class Landings(MergeTest):
    def test_history_shows_what_was_landed_and_undone(self) -> None:
        shop = self.open(*listed("a", "b"))
        shop.record(*story("r0", 1e9, "config/feature_list.json", "a", "b"))
        for id in "ab":
            shop.finish(id)
        start = shop.commit_of("main")
        self.assertEqual(self.merge("a").code, 0)
        tip = shop.commit_of("main")
        (landed,) = shop.main("history", "--json").json["landings"]
        self.assertEqual((landed["before"], landed["after"]), (start, tip))
        move = Move(landed["merge"], landed["at"], "main", tip, start)
        undoing = events.undoing(move.at, move, kept_ref="k", branches={})
        never = {"into": "main", "commit": start, "result": start, "moved_from": tip}
        shop.record(
            undoing,  # and killed: the branch is still there
            events.landing(
                *(move.at, "m2", "b"), strategy=Strategy.MERGE, tip=shop.ref("b")[0], **never
            ),
        )
        (landed,) = shop.main("history", "--json").json["landings"]
        self.assertIsNone(landed["undone_at"])
        said = shop.main("history", "--feature", "a").out
        self.assertRegex(said, rf"\n\nFEATURES .*\na  .*  main  .*  -       {move.merge}\n$")
        self.assertNotIn(move.merge, shop.main("history", "--feature", "b").out)
        shop.git("reset", "--quiet", "--hard", start)
        (landed,) = shop.main("history", "--json").json["landings"]
        self.assertIsNotNone(landed["undone_at"])
        self.assertNotIn(move.merge, shop.main("history", "--since", "0s").out)
