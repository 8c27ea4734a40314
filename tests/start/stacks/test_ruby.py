"""Ruby with bundler, and Rails."""

from __future__ import annotations

import unittest

from core.start.stacks import ruby
from core.start.stacks.stack import Stack
from tests.support.trees import RAILS, tree

POSTGRES = {"config/database.yml": "default:\n  adapter: postgresql\n"}
SPECS = {"spec/rails_helper.rb": "", "Gemfile.lock": "    rspec-rails (7)\n    sqlite3 (2)\n"}


class RubyTest(unittest.TestCase):
    def found(self, files: dict[str, str]) -> Stack:
        stack = ruby.detect(tree(files))
        assert stack is not None
        return stack

    def test_a_sample_tree_of_rails(self) -> None:
        stack = self.found(dict(RAILS))
        self.assertEqual(stack.name, "Rails")
        prepare = "RAILS_ENV=test bin/rails db:prepare"
        self.assertEqual(stack.setup, ("bundle check || bundle install", prepare))
        self.assertEqual(stack.verify, ("bin/rails test",))
        self.assertEqual(stack.port_variable, "PORT")
        self.assertEqual((stack.one_at_a_time, stack.notes), ("", ()))

    def test_rspec_and_rubocop_are_checks_where_they_are_installed(self) -> None:
        files = {**RAILS, **SPECS, ".rubocop.yml": ""}
        del files["test/test_helper.rb"]
        self.assertEqual(self.found(files).verify, ("bundle exec rspec",))
        files["Gemfile.lock"] += "    rubocop (1)\n"
        self.assertEqual(self.found(files).verify, ("bundle exec rubocop", "bundle exec rspec"))

    def test_a_shared_database_server_lets_one_feature_run_at_a_time(self) -> None:
        stack = self.found({**RAILS, **POSTGRES})
        self.assertIn("the same PostgreSQL test database", stack.one_at_a_time)
        self.assertEqual(stack.notes, ("the tests need a running PostgreSQL server",))
        own = "test:\n  adapter: mysql2\n  database: shop_<%= ENV['RORCHESTRATOR_SLOT'] %>\n"
        self.assertEqual(self.found({**RAILS, "config/database.yml": own}).one_at_a_time, "")

    def test_settings_of_the_database_that_are_not_committed_are_asked_for(self) -> None:
        files = {**RAILS, "Gemfile": "gem 'pg'\n", "Gemfile.lock": "", "db/schema.rb": ""}
        del files["config/database.yml"]
        stack = self.found(files)
        self.assertEqual(stack.setup, ("bundle check || bundle install",))
        self.assertIn("config/database.yml is not committed", stack.notes[0])
        self.assertEqual(stack.copy, ("config/database.yml",))

    def test_without_a_database_none_is_prepared(self) -> None:
        files = {name: text for name, text in RAILS.items() if name != "config/database.yml"}
        del files["bin/rails"]
        stack = self.found({**files, "Gemfile": "gem 'railties'\n"})
        self.assertEqual(stack.setup, ("bundle check || bundle install",))
        self.assertEqual(stack.verify, ("bundle exec rails test",))

    def test_ruby_without_rails(self) -> None:
        files = {"Gemfile": "gem 'sinatra'\n", "Rakefile": "Rake::TestTask.new\n"}
        stack = self.found(files)
        self.assertEqual(stack.name, "Ruby with bundler")
        self.assertEqual(stack.verify, ("bundle exec rake test",))
        self.assertEqual(stack.port_variable, "PORT")
        self.assertEqual(self.found({**files, "Rakefile": "task :deploy\n"}).verify, ())
        specs = {"Gemfile": "gem 'rspec'\n", "spec/a_spec.rb": "", "Rakefile": "task :test\n"}
        self.assertEqual(self.found(specs).verify, ("bundle exec rspec",))
        self.assertEqual(self.found({"Gemfile": ""}).verify, ())

    def test_a_folder_without_a_gemfile_is_not_ruby(self) -> None:
        self.assertIsNone(ruby.detect(tree({"a.rb": ""})))


if __name__ == "__main__":
    unittest.main()
