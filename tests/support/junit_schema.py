"""The schema of JUnit reports, held against a report. Needs lxml, a development tool."""

from __future__ import annotations

import os
import xml.etree.ElementTree

from tests.support.paths import ROOT

try:
    from lxml import etree
except ImportError:
    etree = None

HAS_LXML = etree is not None
OURS = os.path.join(ROOT, "tests", "fixtures", "ci", "junit.xsd")


def junit_faults(document: str, schema: str = OURS) -> list[str]:
    """What the schema has against a document; nothing without lxml."""
    xml.etree.ElementTree.fromstring(document.encode())  # every reader has to take it
    if etree is None:
        return []
    validator = etree.XMLSchema(etree.parse(schema))
    validator.validate(etree.fromstring(document.encode()))
    return [f"{error.line}: {error.message}" for error in validator.error_log]
