"""Fixtures of the GUI's tests.

``site``     a running daemon on a lab of seven machines (see e2e.rack), one for all tests of a module
``app``      a browser that has logged in as admin; ``as_role("viewer")`` gives others, ``nobody`` has not logged in
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from webtest import TestApp

from web_site import WebSite, web_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    with web_site(tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture
def app(site: WebSite) -> TestApp:
    return site.browser("admin")


@pytest.fixture
def as_role(site: WebSite) -> Callable[[str], TestApp]:
    return site.browser


@pytest.fixture
def nobody(site: WebSite) -> TestApp:
    return site.browser()
