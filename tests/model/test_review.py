"""The review of a feature, as a value."""

from __future__ import annotations

import unittest

from core.model.review import Answer, Comment, Review, comment_data, comment_of_data


class ReviewTest(unittest.TestCase):
    def test_what_was_accepted_is_a_commit(self) -> None:
        review = Review(Answer.ACCEPTED, "c0ffee")
        self.assertTrue(review.is_accepted("c0ffee"))
        self.assertFalse(review.is_accepted("ba5e"))
        self.assertFalse(Review(Answer.REJECTED, "c0ffee").is_accepted("c0ffee"))

    def test_a_comment_is_open_until_it_is_sent(self) -> None:
        sent, open_one = Comment("c1", "why?", is_sent=True), Comment("c2", "rename it")
        self.assertEqual(Review(comments=(sent, open_one)).open_comments, (open_one,))

    def test_the_data_of_a_comment_lead_back_to_it(self) -> None:
        for comment in (Comment("c1", "why?"), Comment("c2", "no", "a b.py", 7, "ada", "PRRC_1")):
            self.assertEqual(comment_of_data(comment_data(comment)), comment)

    def test_a_rejected_feature_has_to_start_over(self) -> None:
        self.assertTrue(Review(Answer.REJECTED, "c0ffee").is_rejected)
        self.assertFalse(Review(Answer.ACCEPTED, "c0ffee").is_rejected)


if __name__ == "__main__":
    unittest.main()
