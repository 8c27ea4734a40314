"""Tests compare English: they get it whatever the language of who runs them."""

import os

os.environ["LANGUAGE"] = "en"
