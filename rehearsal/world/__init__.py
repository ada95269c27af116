"""One world: every emulator, the services under it, and a GitHub with the platform's repository, in one process.

provision.py sets up what a platform team would (rehearsal/definition.py says what of it); composition.py starts
and stops it all; handle.py runs it as a child of the process that rehearses. keeper.py keeps one up, record.py says where it
is, ending.py ends it. plain_sites.py and pages.py are for people with a browser.
"""
