"""What our event loop saves against asyncio: the same dialogues by mail/smtp/poll_loop.py and by asyncio's streams.

    python benchmarks/event_loop.py [--rounds N] [--messages N]

CONNECTIONS dialogues with a server in a process of its own; a message is a pipelined announcement and 20 kB of
text, each answered with a line. Processor time of the
client a message, rounds taken in turns, and the ratio asyncio / ours. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.mail.smtp.poll_loop import NOT_NOW, Dialogue, run_all, wait_for

CONNECTIONS = 5
MESSAGE = (b"x" * 100 + b"\r\n", b"x" * 20_000 + b"\r\n")
ANSWER = b"250 2.0.0 Ok: queued\r\n"


def serve(listener: socket.socket) -> None:
    def answer(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            connection.sendall(ANSWER * data.count(b"\n"))

    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def dialogue(port: int, messages: int) -> Dialogue[int, None]:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setblocking(False)
        for number in range(messages):
            for piece in MESSAGE:
                left = memoryview(piece)
                while left:
                    try:
                        left = left[sock.send(left) :]
                    except NOT_NOW as error:
                        yield wait_for(sock, error, True, time.monotonic() + 30)
                answer = b""
                while not answer.endswith(b"\n"):
                    try:
                        answer += sock.recv(65536)
                    except NOT_NOW as error:
                        yield wait_for(sock, error, False, time.monotonic() + 30)
            yield number


def ours(port: int, messages: int) -> int:
    def broken(error: Exception) -> None:
        raise error

    return sum(1 for _ in run_all([dialogue(port, messages // CONNECTIONS) for _ in range(CONNECTIONS)], broken))


async def _streams(port: int, messages: int) -> int:
    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(messages // CONNECTIONS):
            for piece in MESSAGE:
                writer.write(piece)
                await writer.drain()
                await asyncio.wait_for(reader.readline(), 30)
        writer.close()
        await writer.wait_closed()
        return messages // CONNECTIONS

    return sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS))))


def by_asyncio(port: int, messages: int) -> int:
    return asyncio.run(_streams(port, messages))


def measured(rounds: int, messages: int, port: int) -> Iterator[tuple[str, float]]:
    for _ in range(rounds):
        for name, way in (("ours", ours), ("asyncio", by_asyncio)):
            before = time.process_time()
            done = way(port, messages)
            yield name, (time.process_time() - before) / done * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=5_000)
    chosen = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
        server.start()
        found = list(measured(chosen.rounds, chosen.messages, listener.getsockname()[1]))
        server.terminate()
        server.join()
    each = {name: median(value for of, value in found if of == name) for name in ("ours", "asyncio")}
    print(
        json.dumps(
            {f"{name}_us_a_message": round(value, 1) for name, value in each.items()}
            | {"ratio": round(each["asyncio"] / each["ours"], 2)}
        )
    )


if __name__ == "__main__":
    main()
