"""GitHub issues as `gh` prints them."""

from __future__ import annotations

import unittest

from core.start.importing.issues import read as read_issues
from core.start.importing.items import Item, Source


def issue(number: int, body: str = "", **fields: object) -> dict[str, object]:
    return {"number": number, "title": f"Issue {number}", "body": body, **fields}


def read(*issues: object) -> Source:
    found = read_issues(list(issues))
    assert found
    return found


class Issues(unittest.TestCase):
    def test_an_issue_has_its_labels_and_its_body_without_comments(self) -> None:
        labels = [{"name": "bug", "id": "x"}, "help wanted", {}, None]
        found = read(issue(7, "Mend <!-- hidden -->it.\r\n", labels=labels, state="OPEN"))
        tags = ("bug", "help wanted")
        self.assertEqual(found.items, (Item("#7", "Issue 7", "Mend it.", tags=tags),))

    def test_closed_issues_are_done_and_pull_requests_left_out(self) -> None:
        found = read(issue(1, state="CLOSED"), issue(2, closed=True), issue(3, pull_request={}))
        self.assertEqual([item.is_done for item in found.items], [True, True])
        self.assertEqual(found.notes, ("Pull requests are left out.",))
        one = read_issues(issue(4, title=None))
        assert one
        self.assertEqual(one.items[0].title, "Issue 4")

    def test_dependencies_are_those_of_github_and_of_the_body(self) -> None:
        url = "https://github.com/Org/shop/issues/3"
        found = read(
            issue(1),
            issue(2),
            issue(3, "Depends on #1, org/shop#2, other/one#1 and #99", url=url),
            issue(4, f"Blocked by {url}", html_url=url),
            issue(5, blockedBy={"nodes": [{"number": 1}, {}, 3], "totalCount": 1}),
            issue(6, blockedBy=[{"number": 2}, {"number": 6}]),
        )
        self.assertEqual(
            [item.depends_on for item in found.items],
            [(), (), ("#1", "#2", "#99"), ("#3",), ("#1",), ("#2",)],
        )

    def test_an_issue_waits_for_its_parts(self) -> None:
        body = "Parts:\n- [ ] #2\n- [x] #3\n- [ ] #1\n- [ ] something #4\n- [ ] #77"
        found = read(issue(1, body, subIssues=[{"number": 4}]), issue(2), issue(3), issue(4))
        self.assertEqual(found.items[0].depends_on, ("#4", "#2", "#3"))
        self.assertIn("#1 waits for its parts #4, #2, #3; if it has no work", found.notes[0])

    def test_other_json_is_not_read(self) -> None:
        for data in ([], {}, [1], [{"number": 1}], [{"number": "1", "title": "x"}], "x"):
            self.assertIsNone(read_issues(data))
