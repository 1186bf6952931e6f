"""The settings: what the INI files hold, as forms. All goes into the user's draft, which has a page to apply it."""

from __future__ import annotations

from pyramid.config import Configurator

FOLDER = "{folder:outlets|controllers|testers|circuits|boot|schedules|ups|monitors|channels|servers}"
KIND = "{kind:outlets|controls|tests}"

ROUTES = {
    "settings.general": "/general",
    "settings.general_text": "/general/text",
    "settings.plugins": "/plugins",
    "settings.review": "/review",
    "settings.discard": "/review/discard",
    "settings.merge": "/review/merge",
    "settings.history": "/history",
    "settings.revision": "/history/{rev:\\d+}",
    "settings.revert": "/history/{rev:\\d+}/revert",
    "settings.files": "/files",
    "settings.export": "/files/ockle-etc.zip",
    "settings.restart": "/daemon/restart",
    "settings.reload": "/daemon/reload",
    "settings.new": f"/new/{FOLDER}",
    "settings.name": f"/name/{FOLDER}",
    "settings.objects": f"/{FOLDER}",
    "settings.object": f"/{FOLDER}/{{name}}",
    "settings.rename": f"/{FOLDER}/{{name}}/as/rename",
    "settings.copy": f"/{FOLDER}/{{name}}/as/copy",
    "settings.delete": f"/{FOLDER}/{{name}}/as/delete",
    "settings.text": f"/{FOLDER}/{{name}}/as/text",
    "settings.test": f"/{FOLDER}/{{name}}/as/test",
    "settings.needs": "/servers/{name}/needs",
    "settings.parts": f"/servers/{{name}}/{KIND}",
    "settings.new_part": f"/servers/{{name}}/{KIND}/new/{{generator}}",
    "settings.part": f"/servers/{{name}}/{KIND}/part/{{part}}",
    "settings.move_part": f"/servers/{{name}}/{KIND}/part/{{part}}/move",
    "settings.rename_part": f"/servers/{{name}}/{KIND}/part/{{part}}/rename",
    "settings.delete_part": f"/servers/{{name}}/{KIND}/part/{{part}}/delete",
}
"""Name -> pattern below /settings."""


def includeme(config: Configurator) -> None:
    for name, pattern in ROUTES.items():
        config.add_route(name, f"/settings{pattern}")
