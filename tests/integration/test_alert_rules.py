"""packaging/prometheus/digest.rules.yml: each rule is about numbers that /metrics has, by the labels that they have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.running import PATIENCE
from tests.servers.website import Website

FILE = Path(__file__).resolve().parents[2] / "packaging/prometheus/digest.rules.yml"


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    [group] = yaml.safe_load(FILE.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_each_rule_has_what_an_alert_needs(rules: list[dict[str, Any]]) -> None:
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "5m"))


def test_each_number_of_a_rule_is_shown_with_its_labels(site: Website, rules: list[dict[str, Any]]) -> None:
    site.reader()
    families = list(text_string_to_metric_families(site.get("/metrics").text))
    labels: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    shown = {*labels, *(family.name for family in families)}
    shown |= {f"{family.name}_total" for family in families if family.type == "counter"}
    for rule in rules:
        named = set(re.findall(r"\bdigest_\w+", rule["expr"]))
        assert named, rule["alert"]
        assert named <= shown, f"{rule['alert']}: {named - shown} is in no answer of /metrics"
        used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        used |= set(re.findall(r"by \((\w+)\)", rule["expr"])) | set(re.findall(r"\{(\w+)=", rule["expr"]))
        has = set().union(*(labels.get(name, set()) for name in named))
        assert used <= has | {"list", "source"} if not has else used <= has, f"{rule['alert']}: {used - has}"


def test_prometheus_takes_the_file() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([program, "check", "rules", str(FILE)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
