"""Markdown as sections with checkboxes."""

from __future__ import annotations

import unittest

from core.start.importing.markdown import Entry, Section, sections_of, without_comments

PAGE = """\
before

# Shop #
<!-- hidden
- [ ] hidden as well -->
some prose <!-- and --> more
- [ ] first <!-- a note -->
  indented
lazy
  - [x] a step

- group
  - [X] done
para

out
***
```md
- [ ] in a code block <!-- x
```
## Next
1. [ ] numbered
   ~~~
- [ ] in its code block
\tkept
   ~~~

2) [ ] other
# End
"""


class Markdown(unittest.TestCase):
    def test_checkboxes_are_found_with_what_is_below_them(self) -> None:
        before, shop, following, end = sections_of(PAGE)
        self.assertEqual(before, Section(0, "", ("before", ""), ()))
        self.assertEqual((shop.level, shop.heading), (1, "Shop"))
        first, done = shop.entries
        self.assertEqual(first, Entry("first", False, ("  indented", "lazy", "  - [x] a step")))
        self.assertEqual(done, Entry("done", True, ("para",)))
        self.assertIn("some prose  more", shop.prose)
        self.assertIn("- [ ] in a code block <!-- x", shop.prose)
        numbered, other = following.entries
        code = ("   ~~~", "- [ ] in its code block", "\tkept", "   ~~~")
        self.assertEqual(numbered, Entry("numbered", False, code))
        self.assertEqual(other, Entry("other", False))
        self.assertEqual((end.heading, end.entries), ("End", ()))

    def test_a_line_after_an_empty_one_ends_an_entry_unless_it_is_indented(self) -> None:
        (section,) = sections_of("- [ ] a\n\n  inside\n\nafter\n- [ ] b\n---\n- plain\n")
        self.assertEqual(section.entries, (Entry("a", False, ("inside",)), Entry("b", False)))
        self.assertEqual(section.prose, ("after", "---", "- plain", ""))

    def test_line_ends_and_tabs_are_no_matter(self) -> None:
        (section,) = sections_of("- [ ] a\r\n\t- [ ] b\r\n")
        self.assertEqual(section.entries, (Entry("a", False, ("- [ ] b",)),))

    def test_comments_are_removed_also_if_they_never_end(self) -> None:
        self.assertEqual(
            without_comments("a <!-- b --> c <!-- d\ne --> f\n\n<!-- g\nh"), "a  c \n f"
        )

    def test_many_marks_are_read_quickly(self) -> None:
        for text in ("<!--" * 200_000, "- [ ] " * 50_000, "#" * 500_000, "`" * 500_000):
            self.assertLessEqual(len(sections_of(text)), 1)
