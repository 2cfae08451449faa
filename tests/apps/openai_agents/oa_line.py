"""A realtime line on which somebody has tools called, for the applications of this folder."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.realtime import RealtimeModel, RealtimeModelToolCallEvent


class Line(RealtimeModel):
    """A line on which somebody has tools called, one after the other.

    Attributes:
        outputs: what came of each call.
    """

    def __init__(self, *calls: tuple[str, str]) -> None:
        self.calls = list(calls)
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.listeners: list[Any] = []
        self.outputs: list[str] = []

    async def connect(self, options: Any) -> None: ...

    def add_listener(self, listener: Any) -> None:
        self.listeners.append(listener)

    def remove_listener(self, listener: Any) -> None:
        self.listeners.remove(listener)

    async def send_event(self, event: Any) -> None:
        if hasattr(event, "output"):
            await self.told.put(event.output)

    async def close(self) -> None: ...

    async def talk(self) -> None:
        for number, (name, arguments) in enumerate(self.calls):
            event = RealtimeModelToolCallEvent(name=name, call_id=f"c{number}", arguments=arguments)
            for listener in list(self.listeners):
                await listener.on_event(event)
            self.outputs.append(await asyncio.wait_for(self.told.get(), 30))
