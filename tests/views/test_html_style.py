"""The style sheet: both themes have enough contrast, and nothing is loaded from anywhere."""

from __future__ import annotations

import re
import unittest

from core.views.html_style import DARK, LIGHT, SCRIPT, STYLE

AA = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text."""


def colours(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+):(#[0-9a-f]+)", theme))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


class Themes(unittest.TestCase):
    def test_text_can_be_read_on_every_background_of_both_themes(self) -> None:
        for name, theme in (("light", LIGHT), ("dark", DARK)):
            found = colours(theme)
            for text in ("text", "soft", "good", "bad", "warn", "idle", "live", "accent"):
                for background in ("page", "card"):
                    with self.subTest(theme=name, text=text, background=background):
                        self.assertGreaterEqual(contrast(found[text], found[background]), AA)
            for background in ("shade", "plus", "minus"):
                with self.subTest(theme=name, background=background):
                    self.assertGreaterEqual(contrast(found["text"], found[background]), AA)

    def test_both_themes_have_the_same_colours_and_no_others_are_used(self) -> None:
        self.assertEqual(colours(LIGHT).keys(), colours(DARK).keys())
        self.assertLessEqual(set(re.findall(r"var\(--([a-z]+)\)", STYLE)), set(colours(LIGHT)))

    def test_nothing_is_loaded_and_no_element_is_ended(self) -> None:
        for content in (STYLE, SCRIPT):
            self.assertNotRegex(content, r"url\(|@import|https?:|fetch|innerHTML|</")
