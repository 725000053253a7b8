"""Hostile requests made from the API's own description: never a 5xx, and every answer is as described."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.servers.website import ADMIN, Website, stock, website

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    folder = tmp_path_factory.mktemp("schema")
    with website(folder, stock(folder)) as running:
        yield running


def test_no_request_breaks_it(site: Website) -> None:
    """Driven by hypothesis itself: schemathesis' own pytest plugin does not know pytest 9."""
    schema = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json")
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def hammer(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"authorization": f"Bearer {ADMIN}"}, checks=CHECKS)

        hammer()
        tried.append(operation.label)
    assert len(tried) >= 11, tried
