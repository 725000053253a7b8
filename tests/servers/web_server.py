"""nginx and Caddy in front of the pages, with the very lines of docs/how-to/operations.md; only addresses are put in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.servers.running import listening, own_folder, running

_PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/operations.md").read_text("utf-8")
_NGINX = """\
daemon off;
pid {folder}/pid;
error_log stderr;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{block}
    }}
}}
"""
_CADDY = """\
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
{block}
"""


def block_after(words: str) -> str:
    """The first indented block behind these words."""
    found = re.search(rf"{re.escape(words)}.*?\n\n((?:    [^\n]*\n)+)", _PAGE, re.DOTALL)
    assert found, words
    return dedent(found[1])


@contextmanager
def nginx(port: int, behind: int, *, strips: bool) -> Iterator[None]:
    """`strips`: the variant that the page names, which takes the path away."""
    block = block_after("nginx (no address behind the port").replace(
        "127.0.0.1:8000;", f"127.0.0.1:{behind}{'/' if strips else ''};"
    )
    yield from _serving("nginx", "nginx", ["-e", "stderr", "-c"], _NGINX, block, port)


@contextmanager
def caddy(port: int, behind: int, *, strips: bool) -> Iterator[None]:
    block = block_after("\nCaddy:").replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    block = block.replace("example.org {", f"http://127.0.0.1:{port} {{")
    if strips:
        block = block.replace("handle /digest/* {", "handle_path /digest/* {")
        assert "handle_path" in block
    yield from _serving("caddy", "caddy", ["run", "--adapter", "caddyfile", "--config"], _CADDY, block, port)


def _serving(name: str, program: str, options: list[str], frame: str, block: str, port: int) -> Iterator[None]:
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    with own_folder(name) as folder:
        settings = folder / "settings"
        settings.write_text(frame.format(folder=folder, port=port, block=block))
        with running([path, *options, settings], lambda: listening(port), folder / "log"):
            yield


SERVERS = {"nginx": nginx, "Caddy": caddy}
