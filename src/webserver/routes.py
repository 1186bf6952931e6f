"""The addresses of all pages, in one table; those of the REST interface stand with its views."""

from __future__ import annotations

from pyramid.config import Configurator

PAGES = {
    "network": "/",
    "servers": "/servers",
    "servers.nodes": "/nodes",
    "server": "/server/{server}",
    "plan": "/plan/new",
    "runs": "/runs",
    "run": "/runs/{run:\\d+}",
    "runs.schedules": "/schedules",
    "runs.ups": "/ups",
    "history": "/history",
    "alerts": "/alerts",
    "netboot": "/netboot",
    "settings": "/settings",
    "about": "/about",
    "login": "/login",
    "logout": "/logout",
    "setup": "/setup",
    "account": "/account",
    "account.do": "/account/{action:password|session|token|untoken}",
    "settings.users": "/settings/users",
    "settings.users.do": "/settings/users/{action:add|change|remove|session|untoken}",
    "settings.audit": "/settings/audit",
    "settings.audit.csv": "/settings/audit.csv",
    "settings.hosts": "/settings/netboot/hosts",
    "settings.hosts_check": "/settings/netboot/hosts/check",
    "settings.hosts_import": "/settings/netboot/hosts/import",
    "settings.hosts_csv": "/settings/netboot/hosts.csv",
    "status": "/status",
    "health": "/health",
    "ready": "/ready",
}
"""Name -> pattern. Views of a page's parts add their own routes beside it, below the same path."""


def includeme(config: Configurator) -> None:
    for name, pattern in PAGES.items():
        config.add_route(name, pattern)
