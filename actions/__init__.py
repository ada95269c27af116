"""The custom actions: one importable package each, with its action.yml. How they are made: actions/README.md."""
