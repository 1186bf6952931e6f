"""Tests whether a web server answers as it should."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from ..common.errors import ConfigError, DeviceAnswerError
from .TemplateTester import TemplateTester


class HTTP(TemplateTester):
    """Passes when the status is one of ``status`` and the page (its first 64 KiB are allowed) contains ``text``.

    Redirections are not followed: where one is right, its status is put into ``status``.
    """

    def __init__(
        self,
        name: str,
        testerConfigDict: Mapping[str, object] | None = None,  # noqa: N803 - documented spelling
        testerParams: Mapping[str, object] | None = None,  # noqa: N803
    ) -> None:
        super().__init__(name, testerConfigDict, testerParams)
        if not self.params["url"] and not self.params["host"]:
            raise ConfigError(f"{name}: neither url nor host; write one of them")

    @override
    async def _test(self) -> bool:
        from ..common.http import Target, fetch

        params = self.params
        if params["url"]:
            target = Target.of(params["url"], verify=params["verify"])
        else:
            port = params["port"] or (443 if params["tls"] else 80)
            target = Target(params["host"], port, params["path"], params["tls"], params["verify"])
        response = await fetch(target, self.timeout)
        if str(response.status) not in params["status"]:
            raise DeviceAnswerError(f"{target.where}: status {response.status}, not {' or '.join(params['status'])}")
        if params["text"] not in response.text():
            raise DeviceAnswerError(f"{target.where}: the page does not contain {params['text']!r}")
        return True
