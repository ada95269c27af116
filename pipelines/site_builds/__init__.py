"""The files that the build of a site makes: its scripts, their source maps, and the ids that both share."""
