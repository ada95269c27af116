"""A stand-in for `eas` (npm eas-cli 24.8.0): what builds an app at EAS and publishes its updates, and nothing else.

Held to the real one are the command line (each command, flag and argument, against the manifest that the package carries) and the JSON
that is printed; what it says to the emulator of EAS over HTTP is ours, where the real one speaks GraphQL. It evaluates nothing of the
app: `app.config.*` is refused. Jobs find it on PATH (runner/stand_ins/programs). Needs nothing but Python.
"""

VERSION = "24.8.0"
