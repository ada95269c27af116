"""`python -m release …`: the same as `shipmate release …`."""

from release.commands.main import main

if __name__ == "__main__":
    main()
