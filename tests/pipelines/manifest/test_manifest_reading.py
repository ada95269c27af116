"""A manifest's mistakes: file, line, key, and what was meant."""

from pathlib import Path

import pytest

from pipelines.errors import ManifestError
from pipelines.manifest import load, parse
from pipelines.manifest.targets import CloudRun, Vercel

ROOT = Path(__file__).parents[3]
GOOD = """\
platform: {name: p, repository: o/r}
components:
  backend: {paths: [a/**]}
  web: {paths: [b/**], depends_on: [backend]}
ci:
  checks:
    test: {components: [backend], run: [make test]}
environments:
  production:
    backend:
      provider: cloud-run
      project: p
      region: r
      service: s
      url: https://x.test
      service_account: a
      scaling: {min: 2}
    web: {provider: vercel, team: t, project: p, url: https://y.test}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse(text)
    return caught.value.what.splitlines()


def test_the_manifest_of_this_repository_is_good() -> None:
    manifest = load(ROOT / "shipmate.yml")
    backend = manifest.environments["production"].targets["backend"]
    assert isinstance(backend, CloudRun)
    assert (backend.scaling.min, backend.scaling.max) == (2, 50)
    assert isinstance(manifest.environments["production"].targets["web"], Vercel)


def test_defaults() -> None:
    backend = parse(GOOD).environments["production"].targets["backend"]
    assert isinstance(backend, CloudRun)
    assert (backend.scaling.min, backend.scaling.max, backend.shift[-1]) == (2, 50, 100)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "scaling: {min: 2}",
            "scaling: {mix: 2}",
            "17: environments/production/backend/scaling/mix: unknown key, did you mean 'min'?",
        ),
        (
            "provider: cloud-run",
            "provider: cloudrun",
            "11: environments/production/backend/provider: must be one of 'cloud-run', 'vercel', is 'cloudrun', did you mean 'cloud-run'?",
        ),
        (
            "scaling: {min: 2}",
            "scaling: {min: two}",
            "17: environments/production/backend/scaling/min: must be a whole number, is 'two'",
        ),
        (
            "scaling: {min: 2}",
            "scaling: {min: 60}",
            "17: environments/production/backend/scaling: min 60 and max 50 contradict each other",
        ),
        ("      project: p\n", "", "11: environments/production/backend: the key 'project' is missing"),
        (
            "depends_on: [backend]",
            "depends_on: [bakend]",
            "4: components/web/depends_on: there is no component 'bakend'",
        ),
        (
            "depends_on: [backend]",
            "error_tracker: {organization: acme, project: shop}",
            "4: components/web/error_tracker: is for a site, whose source maps go there: this component has no `build`",
        ),
        (
            "depends_on: [backend]",
            "build: {run: [x], output: o, repository: r}, error_tracker: {url: 'https://a@b.test', organization: acme, project: shop}",
            "4: components/web/error_tracker/url: 'https://a@b.test' must be https:// and a host, as in https://de.sentry.io",
        ),
        (
            "depends_on: [backend]",
            "build: {run: [x], output: o, repository: r}, error_tracker: {organization: a/b, project: shop}",
            "4: components/web/error_tracker/organization: 'a/b' must be as in its address: small letters, digits, - and _",
        ),
        ("    web: {prov", "    wob: {prov", "18: environments/production/wob: there is no component 'wob'"),
        ("run: [make test]", "run: make test", "7: ci/checks/test/run: must be a list, is 'make test'"),
        ("service: s\n", "service: s\n      service: t\n", "15: environments/production/backend/service: stands twice"),
        (
            "scaling: {min: 2}",
            "shift: [50, 10, 100]",
            "17: environments/production/backend/shift: must rise and end at 100",
        ),
        (
            "scaling: {min: 2}",
            "secrets: {A: b@latest}",
            "17: environments/production/backend/secrets/A: 'b@latest' must be secret@version with a number: "
            "'latest' changes under a running service",
        ),
    ],
)
def test_mistakes(old: str, new: str, message: str) -> None:
    assert problems(GOOD.replace(old, new, 1)) == [f"shipmate.yml:{message}"]


JOURNEYS = """\
journeys:
  write and read:
    component: backend
    requests:
      - {method: POST, path: /notes, body: '{"text": "{visit}"}', save: {note: id}}
      - {path: "/notes/{note}", contains: ["{visit}"], find: {next: 'href="(/[^"]+)"'}}
      - {method: DELETE, path: "/notes/{note}", status: 204, always: true}
"""


def test_what_users_do() -> None:
    journey = parse(GOOD + JOURNEYS).journeys["write and read"]
    assert journey.component == "backend"
    assert [request.always for request in journey.requests] == [False, False, True]
    assert journey.requests[0].save == {"note": "id"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "component: backend",
            "component: mobile",
            "21: journeys/write and read/component: there is no component 'mobile'",
        ),
        (
            '["{visit}"]',
            '["{nota}"]',
            "24: journeys/write and read/requests/1/contains: {nota} is not known here: "
            "use {note}, {visit}, or take it with `save` or `find` in a request before",
        ),
        (
            '["{visit}"]',
            '["{release}"]',
            "24: journeys/write and read/requests/1/contains: {release} is not known here: "
            "a journey is asked of what is live too, which is another release; a smoke check may say it",
        ),
        (
            "path: /notes,",
            "path: notes,",
            "23: journeys/write and read/requests/0/path: 'notes' must begin with a slash: it is below the address of the component",
        ),
        (
            "save: {note: id}",
            "save: {visit: id, note: id}",
            "23: journeys/write and read/requests/0/save/visit: must be a new name of small letters, digits and underscores",
        ),
        (
            "save: {note: id}",
            "save: {My-Note: id, note: id}",
            "23: journeys/write and read/requests/0/save/My-Note: must be a new name of small letters, digits and underscores",
        ),
        (
            "save: {note: id}",
            "save: {note: id}, find: {note: '(a)'}",
            "23: journeys/write and read/requests/0/find/note: is taken by `save` as well",
        ),
        ("(/[^", "/[^", None),
        (
            '\'href="(/[^"]+)"\'',
            "href",
            "24: journeys/write and read/requests/1/find/next: 'href' must have one group, what is taken, and has 0",
        ),
        (
            "status: 204",
            "answer_headers: {Location: '('}",
            "25: journeys/write and read/requests/2/answer_headers/Location: '(' is no regular expression: ",
        ),
        (
            "always: true",
            "allways: true",
            "25: journeys/write and read/requests/2/allways: unknown key, did you mean 'always'?",
        ),
        ("method: DELETE", "method: FETCH", "25: journeys/write and read/requests/2/method: must be one of"),
    ],
)
def test_mistakes_of_a_journey(old: str, new: str, message: str | None) -> None:
    found = problems(GOOD + JOURNEYS.replace(old, new))
    assert len(found) == 1
    assert found[0].startswith(f"shipmate.yml:{message or '24: journeys/write and read/requests/1/find/next: '}")


def test_a_journey_without_requests_proves_nothing() -> None:
    empty = "journeys: {nothing: {component: backend, requests: []}}\n"
    assert problems(GOOD + empty) == [
        "shipmate.yml:19: journeys/nothing/requests: has no request, so it would prove nothing"
    ]


IMAGE = "repository: h/p, base: 'b@sha256:1', requirements: r, sources: [a], command: [c]"
BY_JOB = "migrate_by: job, database_secret: b@1"


def migrating(image: str, target: str, *, migrations: str = "migrations: m, ") -> list[str]:
    text = GOOD.replace("{paths: [a/**]}", f"{{paths: [a/**], {migrations}image: {{{image}}}}}")
    more = "".join(f"\n      {key}" for key in target.split(", "))
    return problems(text.replace("      scaling: {min: 2}", more.strip("\n")))


@pytest.mark.parametrize(
    ("image", "target", "message"),
    [
        (IMAGE, BY_JOB, "17: environments/production/backend/migrate_by: needs `migrator: true` of the component's image: a job "),
        (f"migrator: true, {IMAGE}", "migrate_by: job", "17: environments/production/backend/migrate_by: needs `database_secret`"),
        (f"migrator: true, {IMAGE}", "migrate_by: hand", "17: environments/production/backend/migrate_by: must be one of"),
    ],
)  # fmt: skip
def test_a_job_migrates_by_what_its_image_brings(image: str, target: str, message: str) -> None:
    (problem,) = migrating(image, target)
    assert problem.startswith(f"shipmate.yml:{message}")


def test_a_migrator_needs_migrations_and_the_assembler() -> None:
    (problem,) = migrating(f"migrator: true, {IMAGE}", "scaling: {min: 2}", migrations="")
    assert problem.endswith("components/backend/image/migrator: is for a component that has `migrations`")
    (problem,) = migrating("repository: h/p, builder: buildx, dockerfile: D, migrator: true", "scaling: {min: 2}")
    assert problem.endswith("image/migrator: is for `builder: assembler`, and this image has `builder: buildx`")


@pytest.mark.parametrize("key", ["database_secret", "probe_secret"])
def test_a_secret_of_the_delivery_has_a_number_too(key: str) -> None:
    assert problems(GOOD.replace("scaling: {min: 2}", f"{key}: b@latest")) == [
        f"shipmate.yml:17: environments/production/backend/{key}: 'b@latest' must be secret@version with a number: "
        "'latest' changes under a running service"
    ]


@pytest.mark.parametrize(
    ("watch", "message"),
    [
        ("worse_by: 0", "worse_by: 0 must be above 0 and below 100: it is a difference in per cent"),
        ("worse_by: 100", "worse_by: 100 must be above 0 and below 100: it is a difference in per cent"),
        ("slower_by: -1", "slower_by: -1 must be a number, 0 or more"),
        ("slower_by_ms: .nan", "slower_by_ms: nan must be a number, 0 or more"),
        ("pairs_per_second: 0", "pairs_per_second: 0 must be a number above 0"),
        ("patience_seconds: .inf", "patience_seconds: inf must be a number above 0"),
    ],
)
def test_a_watch_that_could_not_be_held(watch: str, message: str) -> None:
    text = GOOD.replace("  production:\n", f"  production:\n    watch: {{{watch}}}\n")
    assert problems(text) == [f"shipmate.yml:10: environments/production/watch/{message}"]


@pytest.mark.parametrize("seconds", ["301", "-1", ".nan"])
def test_patience_has_bounds(seconds: str) -> None:
    text = GOOD.replace("  production:\n", f"  production:\n    patience_seconds: {seconds}\n")
    (problem,) = problems(text)
    assert problem.startswith("shipmate.yml:10: environments/production/patience_seconds: ")
    assert problem.endswith(" must be a number from 0 to 300")


def test_a_watch_is_as_the_manifest_says() -> None:
    text = GOOD.replace("  production:\n", "  production:\n    watch: {worse_by: 1, slower_by: 50}\n")
    watch = parse(text).environments["production"].watch
    assert (watch.worse_by, watch.slower_by, watch.slower_by_ms, watch.pairs_per_second) == (1.0, 50.0, 100.0, 10.0)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{test: a, owner: dev-1, until: tomorrow, reason: flaky}", "until: 'tomorrow' is no day: YYYY-MM-DD"),
        ("{test: a, owner: '', until: 2026-12-31, reason: flaky}", "owner: must not be empty"),
    ],
)
def test_a_quarantine_has_an_owner_and_an_end(entry: str, message: str) -> None:
    text = f"{GOOD}\nbrowser_tests: {{run: [a], report: b, quarantine: [{entry}]}}\n"
    (problem,) = problems(text)
    assert problem.endswith(f"browser_tests/quarantine/0/{message}")


def test_all_mistakes_at_once() -> None:
    broken = GOOD.replace("min: 2", "mix: 2").replace("region: r", "regoin: r")
    assert len(problems(broken)) == 3


@pytest.mark.parametrize(("text", "message"), [("", "is empty"), ("a: [", "is not YAML"), ("- a", "must be a mapping")])
def test_no_manifest_at_all(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        parse(text)


ASSEMBLED = "repository: h/p, base: b, requirements: r.txt, sources: [s], command: [c]"
DOCKERFILE = "repository: h/p, builder: buildx, dockerfile: a/Dockerfile, context: a"


def with_image(image: str) -> str:
    return GOOD.replace("backend: {paths: [a/**]}", f"backend: {{paths: [a/**], image: {{{image}}}}}")


def test_an_image_needs_the_keys_of_its_builder() -> None:
    images = [parse(with_image(text)).components["backend"].image for text in (ASSEMBLED, DOCKERFILE)]
    assert [image.builder for image in images if image] == ["assembler", "buildx"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            ASSEMBLED.replace("base: b, ", ""),
            "components/backend/image: the key 'base' is missing (`builder: assembler` needs it)",
        ),
        (
            DOCKERFILE.replace("dockerfile: a/Dockerfile, ", ""),
            "components/backend/image: the key 'dockerfile' is missing (`builder: buildx` needs it)",
        ),
        (
            f"{DOCKERFILE}, command: [node]",
            "components/backend/image/command: is for `builder: assembler`, and this image has `builder: buildx`",
        ),
        (
            f"{DOCKERFILE}, mirror: mirror.gcr.io/library/node",
            "components/backend/image/mirror: is for `builder: assembler`, and this image has `builder: buildx`",
        ),
        (
            f"{ASSEMBLED}, mirror: 'mirror.gcr.io/library/python:3.11'",
            "components/backend/image/mirror: 'mirror.gcr.io/library/python:3.11' must be host/path, without a tag or digest",
        ),
        (
            f"{ASSEMBLED}, dockerfile: a/Dockerfile",
            "components/backend/image/dockerfile: is for `builder: buildx`, and this image has `builder: assembler`",
        ),
    ],
)
def test_keys_of_the_other_builder_are_read_by_nobody(image: str, message: str) -> None:
    assert problems(with_image(image)) == [f"shipmate.yml:3: {message}"]


def test_not_found(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        load(tmp_path / "shipmate.yml")
