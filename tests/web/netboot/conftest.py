"""A real daemon whose boot server is the test: what boards do is written where a boot server writes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from netboot_face import HOSTS, NetbootSite, netboot_site
from ockle.webserver.ockle_client.connection import Connection
from web_site import WebSite


@pytest.fixture(scope="module")
def netboot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetbootSite]:
    with netboot_site(tmp_path_factory.mktemp("netboot")) as found:
        yield found


@pytest.fixture(scope="module")
def site(netboot: NetbootSite) -> WebSite:
    return netboot.web


@pytest.fixture
def admin(site: WebSite) -> Iterator[Connection]:
    with site.client() as connection:
        yield connection


@pytest.fixture
def hosts(netboot: NetbootSite) -> Iterator[NetbootSite]:
    """What a test does to the hosts is undone."""
    yield netboot
    netboot.hosts.write_text(HOSTS)
