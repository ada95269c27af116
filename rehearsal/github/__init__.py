"""An emulated GitHub: git over smart HTTP, the REST API, the GraphQL that `gh` sends, and pages for a browser.

A domain is a folder: accounts, attestations, checks, deployments, environments, issues, protection, pulls, releases,
repositories, runs, secrets. In each of them, as far as it has them, a file (or a folder of files) for each role:

    rest, graphql, pages   how the domain is read and changed from outside; each endpoint says what it takes
    service                what is done: state and git changed, events delivered
    render                 the domain as JSON, as REST answers and webhooks have it
    rules                  what may be done and what follows from state; no other role decides that
    state                  plain data; a snapshot is made of it

So a pull request is merged in `pulls/service/merge.py`, and `pulls/rules.py` says why it may not be (`check_merge`,
`blockers`); a push is refused in `repositories/rules.py`, a deployment's review in `environments/rules.py`.

What is no domain's:

    app, hub, seeding, snapshot      the emulator; what the runner asks of it; set up by calls; saved and loaded
    routes/                          all that is served, over all domains
    rest/, graphql/, pages/, git/    what endpoints, resolvers, pages and git are made with
    events/                          webhook payloads, and their delivery to the runner
    instance, database, view         one GitHub as a whole, its state, and that state with addresses
    identity, oidc, problems         who sends a request, tokens of jobs for clouds, refusals in GitHub's words

A role imports only those below it, in any domain; pyproject.toml has the contract.
"""
