"""Attestations: stored as they come (GitHub does not verify them either), found by digest."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from rehearsal.github.attestations.state import Attestation
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest.answers import Answer, created
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()


@endpoints.add("POST", "attestations", "attestations:write")
async def create_attestation(call: Call) -> Answer:
    part = call.fields.part("bundle")
    bundle = part.values if part is not None else {}
    number = call.instance.database.next_id("attestation")
    call.repository.attestations.append(Attestation(id=number, bundle=bundle, digests=_digests(bundle)))
    return created({"id": number})


@endpoints.add("GET", "attestations/{digest}", "attestations:read")
async def list_attestations(call: Call) -> Answer:
    """Of one artifact, named by `sha256:<hex>`. 404 when there is none."""
    wanted, kind = call.path("digest"), call.query("predicate_type")
    found = [one for one in call.repository.attestations if wanted in one.digests and kind in ("", _kind(one.bundle))]
    if not found:
        raise not_found()
    page = call.page(found)
    rendered = [
        {"bundle": one.bundle, "repository_id": call.repository.id, "bundle_url": "", "initiator": "user"}
        for one in page.items
    ]
    return Answer(body={"attestations": rendered}, headers=page.links)


def _digests(bundle: dict[str, Any]) -> list[str]:
    """The subjects of the in-toto statement inside the envelope. Raises Problem 422 when there are none."""
    subjects = _statement(bundle).get("subject") or []
    digests = [f"sha256:{one['digest']['sha256']}" for one in subjects if "sha256" in one.get("digest", {})]
    if not digests:
        raise Problem(422, "Invalid bundle: its statement names no subject with a sha256 digest")
    return digests


def _kind(bundle: dict[str, Any]) -> str:
    return str(_statement(bundle).get("predicateType", ""))


def _statement(bundle: dict[str, Any]) -> dict[str, Any]:
    payload = (bundle.get("dsseEnvelope") or {}).get("payload", "")
    try:
        found = json.loads(base64.b64decode(payload))
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "Invalid bundle: dsseEnvelope.payload is not a statement in Base64") from error
    return found if isinstance(found, dict) else {}
