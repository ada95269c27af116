"""What the pages of all domains are made with: templates, forms, sessions, Markdown, logs' colours.

Server-rendered; a page that may change polls itself. Everything from outside (titles, logs, branch names,
Markdown, diffs) is text, and becomes markup only through `markdown` and `ansi`.
"""
