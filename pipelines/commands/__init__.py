"""One module per `shipmate` command, each with a click `command`; imported when it is used."""
