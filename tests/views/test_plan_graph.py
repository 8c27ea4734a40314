"""The graph of the features in Mermaid and DOT."""

from __future__ import annotations

import re
import unittest

from core.model.decision import Action, Decision
from core.model.outcome import Status
from core.views.plan_graph import (
    MOST_CHARACTERS,
    MOST_EDGES,
    Node,
    NodeStatus,
    dot,
    is_drawn_by_mermaid,
    mermaid,
    nodes_of_plan,
    status_in_run,
)
from tests.support.plans import API, AUTH, DIAMOND, plan_of

TWO = (
    Node("auth", "Sign-in", NodeStatus.UP_TO_DATE),
    Node("end", "", NodeStatus.BLOCKED, ("auth", "unknown")),
)

HOSTILE = (
    'a"]; b("x")<img>&amp; #35; `md` 1. one **b** $$x$$ %%{init: {}}%% \\N\n"end\x1b[31m\u202e'
)


class InMermaid(unittest.TestCase):
    def test_each_feature_has_a_shape_a_colour_and_a_word(self) -> None:
        self.assertEqual(
            mermaid(TWO),
            "flowchart LR\n"
            '    n0(["auth<br/>Sign-in<br/>up to date"]):::up-to-date\n'
            '    n1[/"end<br/>blocked"\\]:::blocked\n'
            "    n0 --> n1\n"
            "    classDef up-to-date fill:#dafbe1,stroke:#1a7f37,color:#1f2328\n"
            "    classDef blocked fill:#ffebe9,stroke:#cf222e,color:#1f2328,"
            "stroke-dasharray:4 3\n",
        )

    def test_a_hostile_name_stays_a_text_in_its_node(self) -> None:
        line = mermaid([Node("a", HOSTILE, NodeStatus.FAILED, (), HOSTILE)]).splitlines()[1]
        text = re.fullmatch(r'    n0\{\{"a<br/>(.*)<br/>(.*)"\}\}:::failed', line)
        assert text is not None, line
        for part in text.groups():
            self.assertNotIn("#36;#36;", part)
            self.assertRegex(part, r"\A([\w ,/()']|#\d+;)*\Z")

    def test_words_with_dashes_and_dots_stay_readable(self) -> None:
        drawn = mermaid([Node("api-v1.x", "1. one - _two_", NodeStatus.RUNNING)])
        self.assertIn('"api-v1#46;x<br/>1#46; one #45; #95;two#95;<br/>running"', drawn)

    def test_a_graph_that_mermaid_refuses_is_known(self) -> None:
        many = [Node(str(each), "", NodeStatus.WAITING) for each in range(MOST_EDGES + 1)]
        last = Node("last", "", NodeStatus.WAITING, tuple(node.id for node in many))
        self.assertTrue(is_drawn_by_mermaid(many, mermaid(many)))
        self.assertFalse(is_drawn_by_mermaid([*many, last], ""))
        self.assertFalse(is_drawn_by_mermaid([], "x" * (MOST_CHARACTERS + 1)))


class InDot(unittest.TestCase):
    def test_each_feature_has_a_shape_a_colour_and_a_word(self) -> None:
        self.assertEqual(
            dot(TWO),
            "digraph features {\n"
            "    rankdir=LR;\n"
            '    node [fontname="Helvetica", fontcolor="#1f2328"];\n'
            '    edge [color="#57606a"];\n'
            '    "auth" [label="auth\\nSign-in\\nup to date", shape=box, '
            'style="filled,rounded", fillcolor="#dafbe1", color="#1a7f37"];\n'
            '    "end" [label="end\\nblocked", shape=trapezium, '
            'style="filled,dashed", fillcolor="#ffebe9", color="#cf222e"];\n'
            '    "auth" -> "end";\n'
            "}\n",
        )

    def test_a_hostile_name_stays_a_text_in_its_node(self) -> None:
        text = 'a"b\\N&lt;\n\x1b[31mc'
        self.assertIn(
            '"q\\"" [label="q\\"\\na\\"b\\\\N&amp;lt; c\\nwaiting", ',
            dot([Node('q"', text, NodeStatus.WAITING)]),
        )

    def test_a_long_name_is_cut(self) -> None:
        self.assertIn(f"\\n{'x' * 59}…\\n", dot([Node("a", "x" * 61, NodeStatus.WAITING)]))


class OfAPlan(unittest.TestCase):
    def test_each_feature_is_shown_as_run_would_treat_it(self) -> None:
        left = Decision("api", Action.LEAVE, "later")
        blocked = Decision("app", Action.LEAVE, "needs api, which does not run")
        cases = {
            "auth": (Decision("auth", Action.SKIP, "up to date"), "up to date"),
            "api": (left, "skipped: later"),
            "app": (blocked, "blocked: needs api, which does not run"),
            "batch": (Decision("batch", Action.RESUME, "interrupted"), "resumes: interrupted"),
        }
        plan = plan_of(DIAMOND, decisions={id: case[0] for id, case in cases.items()})
        nodes = {node.id: node for node in nodes_of_plan(plan, {"api"}, str)}
        self.assertEqual(
            {id: node.note for id, node in nodes.items()},
            {id: note for id, (_, note) in cases.items()},
        )
        self.assertEqual(nodes["app"].depends_on, ("api", "batch"))

    def test_what_would_run_is_told_from_what_is_not_selected(self) -> None:
        auth, api = nodes_of_plan(plan_of((AUTH, API), selected=["auth"]), (), str.upper)
        self.assertEqual((auth.status, auth.note), (NodeStatus.WILL_RUN, "WILL RUN: NEW"))
        self.assertEqual((api.status, api.note), (NodeStatus.NOT_SELECTED, "NOT SELECTED: NEW"))

    def test_every_status_of_a_run_has_a_look(self) -> None:
        shown = {status: status_in_run(status).value for status in Status}
        self.assertEqual(shown[Status.VERIFYING], "running")
        self.assertEqual(shown[Status.PENDING], "waiting")
        self.assertEqual(shown[Status.TIMED_OUT], "failed")
        for status in NodeStatus:
            self.assertIn(status.value, mermaid([Node("a", "", status)]))


if __name__ == "__main__":
    unittest.main()
