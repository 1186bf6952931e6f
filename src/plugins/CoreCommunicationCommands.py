"""CoreCommunicationCommands: the commands by which clients see and switch the network."""

from __future__ import annotations

from ..commands.daemon import DaemonCommands
from ..commands.describe import DescribeCommands
from ..commands.emergency import EmergencyCommands
from ..commands.history import HistoryCommands
from ..commands.metrics import MetricsCommands
from ..commands.orders import OrderCommands
from ..commands.status import StatusCommands
from ..commands.users import UserCommands
from ..common.services import DaemonServices
from .ModuleTemplate import ModuleTemplate


class CoreCommunicationCommands(ModuleTemplate):
    """Registers the core commands; without this plugin a client can do nothing but list what others registered."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        for group in (
            StatusCommands,
            OrderCommands,
            EmergencyCommands,
            DescribeCommands,
            HistoryCommands,
            MetricsCommands,
            DaemonCommands,
            UserCommands,
        ):
            group(MainDaemon)
