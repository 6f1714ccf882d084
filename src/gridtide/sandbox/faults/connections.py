"""Faults of WebSocket connections: heartbeats that stop, and every way to end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gridtide.sandbox.faults.knob import Kind, Knob, Option, Options, seconds
from gridtide.sandbox.faults.plan import Where
from gridtide.sandbox.faults.subjects import USER, matches
from gridtide.sandbox.streams import StreamConnection
from gridtide.sandbox.websocket_api import ApiConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridtide.sandbox.faults.world import World
    from gridtide.sandbox.seam import Liveness
    from gridtide.sandbox.sockets import Connection

_ABNORMAL = 1006


def fits(connection: Connection, where: Where) -> bool:
    """Whether a connection is meant: by a stream it hears (``user``: the WebSocket API) or by an account."""
    match connection:
        case ApiConnection():
            return matches(where.stream, USER) and (
                not where.account or where.account in connection.accounts()
            )
        case StreamConnection():
            names = connection.stream_names() or ("",)
            return not where.account and any(matches(where.stream, name) for name in names)
        case _:
            return False


def no_pong(_connection: Connection, liveness: Liveness, _options: Options) -> Liveness:
    return replace(liveness, pongs=False)


def no_ping(_connection: Connection, liveness: Liveness, _options: Options) -> Liveness:
    return replace(liveness, pings=False)


def lifetime(_connection: Connection, liveness: Liveness, options: Options) -> Liveness:
    return replace(liveness, lifetime_seconds=options["seconds"])


def terminate(world: World, where: Where, _options: Options) -> None:
    """The subscription to user events ends with its event; the connection stays."""
    account = world.account(where)
    for connection in world.connections:
        if isinstance(connection, ApiConnection):
            connection.end_subscriptions(account)


def shut_down(world: World, where: Where, options: Options) -> None:
    """`serverShutdown`, and after the notice the connection ends."""
    for connection in _meant(world, where):
        connection.announce_shutdown()
        world.later(options["seconds"], partial(world.connections.end, connection, 1001))


def close(world: World, where: Where, options: Options) -> None:
    for connection in _meant(world, where):
        if options["code"] == _ABNORMAL:
            connection.outbox.cut()
        else:
            world.connections.end(connection, options["code"])


def _meant(world: World, where: Where) -> Iterator[Connection]:
    return (connection for connection in world.connections if fits(connection, where))


KNOBS = (
    Knob("stream.no_pong", "The exchange does not answer PINGs while it lasts.", liveness=no_pong),
    Knob("stream.no_ping", "The exchange sends no PINGs while it lasts.", liveness=no_ping),
    Knob(
        "stream.lifetime",
        "Connections end at a certain age, as they do after 24 hours.",
        (seconds(86_400.0, "the age"),),
        liveness=lifetime,
    ),
    Knob(
        "stream.terminated",
        "The account's subscription ends (`eventStreamTerminated`); the connection stays.",
        action=terminate,
    ),
    Knob(
        "stream.shutdown",
        "`serverShutdown`, then the connection ends with 1001.",
        (seconds(1.0, "between the two"),),
        action=shut_down,
    ),
    Knob(
        "stream.close",
        "The connection is closed.",
        (
            Option(
                "code",
                Kind.WHOLE,
                _ABNORMAL,
                "1006 is an abrupt end without a close",
                ("1000", "1001", "1006", "1008"),
            ),
        ),
        action=close,
    ),
)
