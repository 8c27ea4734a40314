"""Views of a run, made from its events. Opening or closing one changes nothing."""
