"""The running sandbox: both entrances on one port, the player, the pulse, the state file, an orderly end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gridtide.domain.errors import InvalidInput, Transient
from gridtide.sandbox import state_file, streams
from gridtide.sandbox.control import CONTROL_HOST, ControlApi, RunControl, truth
from gridtide.sandbox.control_accounts import AccountControl, restore_keys, save_keys
from gridtide.sandbox.control_markets import MarketControl
from gridtide.sandbox.endpoints.table import ENDPOINTS
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.exchange import SandboxExchange
from gridtide.sandbox.faults.control import FaultControl
from gridtide.sandbox.faults.injector import Injector
from gridtide.sandbox.feed import TICKS_PER_SECOND
from gridtide.sandbox.gateway import Gateway, Routes
from gridtide.sandbox.http_front import FrontServer
from gridtide.sandbox.keeper import StateKeeper
from gridtide.sandbox.player import Player
from gridtide.sandbox.rest import RestEntrance
from gridtide.sandbox.sockets import Connections, accept
from gridtide.sandbox.streams import StreamConnection
from gridtide.sandbox.time_unit import unit_of_query
from gridtide.sandbox.websocket_api import CONNECT_WEIGHT, ApiConnection
from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from gridtide.ports.clock import Clock
    from gridtide.sandbox.settings import SandboxSettings

_LOG = logging.getLogger(__name__)

_WS_API_PATH = "/ws-api/v3"
_SHUTDOWN_NOTICE_SECONDS = 0.1


class Sandbox:
    """A sandbox exchange in the running event loop: `start`, then `url` and the rest; `stop` saves and ends."""

    def __init__(self, settings: SandboxSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.instance_id = settings.instance_id or secrets.token_hex(8)
        self.exchange = SandboxExchange(settings, clock)
        self.player = Player(self.exchange, settings.markets, speed=settings.speed, hold=settings.hold)
        self.port = 0
        self.control_port: int | None = None
        self.ended = asyncio.Event()
        """Set when the control API asked for the end."""
        self.hurry = asyncio.Event()
        """Set when the end was asked for a second time: a state that cannot be saved is given up."""
        self.routes = Routes(ENDPOINTS)
        self.gateway = Gateway(self.exchange)
        self._rest = RestEntrance(self.exchange, self.gateway, self.routes)
        self._connections = Connections(settings.sockets)
        self._runners: list[web.ServerRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.faults = Injector(self.exchange, self._connections)
        self._control = self._make_control()
        self._keeper = self._make_keeper()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.settings.host}:{self.port}"

    def _make_control(self) -> ControlApi | None:
        if self.settings.control_port is None:
            return None
        running = RunControl(
            self.exchange, self.player, shut_down=self.ended.set, describe=self.describe, save=self.save
        )
        accounts, markets = AccountControl(self.exchange), MarketControl(self.exchange)
        faults = FaultControl(self.faults)
        return ControlApi(
            self.exchange,
            running.operations(),
            accounts.operations(),
            markets.operations(),
            faults.operations(),
        )

    def _make_keeper(self) -> StateKeeper | None:
        path, interval = self.settings.state_file, self.settings.save_interval_seconds
        if path is None:
            return None
        return StateKeeper(path, self._state, lambda: self.exchange.revision, interval)

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Restore the saved state, open the markets, listen. Raises `InvalidInput` where a port is taken."""
        self._restore()
        self.player.open_markets()
        self.faults.begin(self.settings.faults)
        try:
            await self._listen_everywhere()
        except BaseException:
            await self._stop_listening()
            raise
        self._spawn(self.player.run())
        self._spawn(self._pulse())
        if self._keeper is not None:
            self._spawn(self._keeper.run())

    async def stop(self) -> None:
        """Say goodbye to all connections, stop listening, save. Raises `StorageFailed` where it cannot be saved."""
        self.player.hold()
        self.faults.clear()
        await self.exchange.seam.close()
        await self._connections.shut_down(_SHUTDOWN_NOTICE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_listening()
        if self._keeper is not None:
            await self._keeper.finish(self.hurry)
        if self._failure is not None:
            raise self._failure

    async def save(self) -> None:
        """Write the state file now. Raises `InvalidInput` where there is none, `Transient` where it cannot be."""
        if self._keeper is None:
            raise InvalidInput("this sandbox keeps no state: nothing was saved")
        try:
            await self._keeper.save()
        except OSError as error:
            raise Transient(f"the state was not saved ({error.strerror}); the file is as it was") from None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_task_done)
        self._tasks.append(task)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        # A sandbox that lost a part of itself ends, rather than look alive.
        if not task.cancelled() and (failure := task.exception()) is not None:
            _LOG.error("sandbox.task_failed", exc_info=failure)
            self._failure = failure
            self.ended.set()

    def describe(self) -> JsonObject:
        """Who this is and where it stands."""
        return {
            "instance_id": self.instance_id,
            "pid": os.getpid(),
            "port": self.port,
            "kind": self.settings.kind,
            "server_time": self.exchange.now(),
            "connections": len(self._connections),
            **self.player.status(),
        }

    def truth(self, account_id: str) -> JsonObject:
        """Orders, fills and balances of an account exactly as the venue has them, decimals as text."""
        return truth(self.exchange.venue, account_id)

    async def _listen_everywhere(self) -> None:
        settings = self.settings
        front = FrontServer(self._handle, self._rest.answer_at_once)
        self.port = await self._listen(front, settings.host, settings.port)
        if self._control is not None:
            self.control_port = await self._listen(
                web.Server(self._control.handle, access_log=None), CONTROL_HOST, settings.control_port or 0
            )

    async def _listen(
        self,
        server: web.Server,
        host: str,
        port: int,
    ) -> int:
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InvalidInput(
                    f"port taken: another program listens on {host}:{port}; nothing was started: name another port, "
                    "or none for any free one"
                ) from None
            raise InvalidInput(f"cannot listen on {host}:{port}: {error.strerror}") from None
        return int(runner.addresses[0][1])

    async def _stop_listening(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    # --- entrances -----------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if "upgrade" not in request.headers.get("Connection", "").lower():
            return await self._rest.handle(request)
        path, _, query = request.raw_path.partition("?")
        opening = streams.opening(path, query)
        if opening is None and path != _WS_API_PATH:
            return await self._rest.handle(request)
        seam = self.exchange.seam
        if seam.at_the_door is not None and (refusal := seam.at_the_door()) is not None:
            return self._rest.refuse(request, refusal)
        try:
            unit = unit_of_query(query)
            weight = CONNECT_WEIGHT if opening is None else 0
            self.exchange.limiter.admit_connection(request.remote or "", weight, self.exchange.now())
        except ApiError as error:
            return self._rest.refuse(request, error)
        socket = await accept(request)
        if opening is None:
            api = ApiConnection(socket, request, self.exchange, self.gateway, self.routes, unit)
            await self._connections.serve(api)
        else:
            combined, names = opening
            connection = StreamConnection(
                socket, request, self.exchange, unit, combined=combined, streams=names
            )
            await self._connections.serve(connection)
        return socket

    async def _pulse(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(1 / TICKS_PER_SECOND)
            tick += 1
            self.exchange.pulse(tick)
            self._connections.keep_alive(self.exchange.clock.monotonic())

    # --- state ---------------------------------------------------------------------------------------

    def _restore(self) -> None:
        path = self.settings.state_file
        state = None if path is None else state_file.load(path)
        if path is None or state is None:
            return
        kind = state.get("kind")
        if self.settings.kind and kind != self.settings.kind:
            raise InvalidInput(
                f"the sandbox's state in {path} was made of another market ({kind}): "
                "it was left as it is; choose another state folder or move it away"
            )
        try:
            self.exchange.restore(state["exchange"])
            self.player.restore(state["player"])
            restore_keys(self.exchange, state.get("keys", []))
        except (KeyError, TypeError, ValueError, ArithmeticError):
            _LOG.exception("sandbox.state_unreadable")
            raise state_file.unreadable(path) from None

    def _state(self) -> dict[str, Any]:
        with self.faults.lifted():
            return {
                "kind": self.settings.kind,
                "saved_at": self.exchange.now(),
                "exchange": self.exchange.state(),
                "player": self.player.state(),
                "keys": save_keys(self.exchange),
            }


async def run_sandbox(settings: SandboxSettings, on_ready: Callable[[Sandbox], None] | None = None) -> None:
    """Run a sandbox until SIGTERM, SIGINT or the control API ends it. `on_ready` is called once it listens."""
    sandbox = Sandbox(settings)
    await sandbox.start()
    try:
        _end_on_signals(sandbox)
        if on_ready is not None:
            on_ready(sandbox)
        await sandbox.ended.wait()
    finally:
        await sandbox.stop()


def _end_on_signals(sandbox: Sandbox) -> None:
    def asked() -> None:
        (sandbox.hurry if sandbox.ended.is_set() else sandbox.ended).set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows has no signal handlers in its event loop
            loop.add_signal_handler(name, asked)


def serve(settings: SandboxSettings, on_ready: Callable[[Sandbox], None] | None = None) -> None:
    """`run_sandbox` in an event loop of its own, uvloop where there is one."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_sandbox(settings, on_ready))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
