"""Drives a server with many clients at once from one process, one keep-alive connection each.

A client is a generator: it yields a `Request`, gets its `Answer`, checks it, and yields the next;
or it yields `Until(moment)` to sleep. One event loop serves all of them, so 16 clients cost no
threads and no lock of the interpreter, and little of the cores that the server needs.
"""

import contextlib
import gc
import gzip
import heapq
import itertools
import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlencode

ANSWER_WITHIN = 30  # seconds; then the run is broken and says so
CHUNK = 262_144


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    form: list[tuple[str, str]] | dict[str, str] | None = None
    label: str = ""  # what it is counted as; empty: not at all
    is_fragment: bool = False
    due: float | None = None  # an open-loop request is late from this moment on


@dataclass(frozen=True)
class Until:
    """Sleep until this moment of `time.perf_counter()`."""

    moment: float


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    wire_bytes: int

    @property
    def text(self) -> str:
        is_packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if is_packed else self.body).decode()


BROKEN = Answer(0, {}, b"", 0)


@dataclass
class Client:
    """One browser: its cookie, its CSRF token, and what its script wants to remember."""

    cookie: str = ""
    csrf: str = ""
    number: int = 0


@dataclass
class Run:
    """What one measurement has seen; also tells its clients when to stop."""

    seconds: float = 0.0  # 0: until every client has done its work
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wire: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sent: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    wrong_count: int = 0
    began: float = 0.0
    ended: float = 0.0

    @property
    def is_over(self) -> bool:
        return bool(self.seconds) and time.perf_counter() - self.began >= self.seconds

    @property
    def elapsed(self) -> float:
        return self.ended - self.began

    @staticmethod
    def now() -> float:
        return time.perf_counter()

    def note(self, label: str, seconds: float) -> None:
        """A time of the client's own, such as a whole walk."""
        self.times[label].append(seconds)

    def expect(self, is_right: bool, what: str, answer: Answer | None = None) -> bool:
        """Count an answer that is not what its asker must get; keep the first few."""
        if not is_right:
            self.wrong_count += 1
            if len(self.wrong) < 5:
                self.wrong.append(what + (f" (status {answer.status})" if answer else ""))
        return is_right


Script = Generator[Request | Until, Answer | None, None]


class Connection:
    """One client's socket and the answer that is arriving on it."""

    def __init__(self, address: tuple[str, int], client: Client, script: Script):
        self.address = address
        self.client = client
        self.script = script
        self.socket: socket.socket | None = None
        self.request: Request | None = None
        self.since = 0.0
        self._parts = bytearray()

    def connect(self) -> None:
        self.socket = socket.create_connection(self.address, timeout=ANSWER_WITHIN)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, request: Request) -> int:
        data = self._bytes(request)
        self.request, self._parts = request, bytearray()
        self.since = request.due or time.perf_counter()
        self.socket.sendall(data)
        return len(data)

    def _bytes(self, request: Request) -> bytes:
        body = b"" if request.form is None else urlencode(request.form).encode()
        lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {self.address[0]}"]
        lines += ["Accept-Encoding: gzip", "Connection: keep-alive"]
        if self.client.cookie:
            lines.append(f"Cookie: {self.client.cookie}")
        if request.is_fragment:
            lines.append("HX-Request: true")
        if request.method == "POST":
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def receive(self) -> Answer | None:
        """The answer, once it is complete."""
        try:
            data = self.socket.recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            return BROKEN
        self._parts += data
        head_end = self._parts.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = bytes(self._parts[:head_end]).decode("latin-1").split("\r\n")
        headers = dict(_header(line) for line in head[1:])
        status = int(head[0].split(" ", 2)[1])
        length = int(headers.get("content-length", 0))
        if len(self._parts) < head_end + 4 + length:
            return None
        if status >= 200 and "set-cookie" in headers:
            self.client.cookie = headers["set-cookie"].partition(";")[0]
        body = bytes(self._parts[head_end + 4 :])
        return Answer(status, headers, body, len(self._parts))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


class _Loop:
    def __init__(self, run: Run):
        self.run = run
        self.selector = selectors.DefaultSelector()
        self.sleepers: list[tuple[float, int, Connection]] = []
        self._order = itertools.count()
        self.waiting = 0

    def go(self, connections: list[Connection]) -> None:
        for connection in connections:
            self.step(connection, None)
        while self.waiting or self.sleepers:
            if not self._listen() and self.waiting and not self.sleepers:
                raise TimeoutError(f"no answer within {ANSWER_WITHIN} s")
            while self.sleepers and self.sleepers[0][0] <= time.perf_counter():
                self.step(heapq.heappop(self.sleepers)[2], None)

    def _listen(self) -> bool:
        patience = ANSWER_WITHIN
        if self.sleepers:
            patience = max(0.0, self.sleepers[0][0] - time.perf_counter())
        events = self.selector.select(patience)
        for key, _ in events:
            connection = key.data
            answer = connection.receive()
            if answer is not None:
                self._finish(connection, answer)
        return bool(events)

    def _finish(self, connection: Connection, answer: Answer) -> None:
        now = time.perf_counter()
        request, run = connection.request, self.run
        self.selector.unregister(connection.socket)
        self.waiting -= 1
        if request.label:
            run.times[request.label].append(now - connection.since)
            run.wire[request.label] += answer.wire_bytes
        if answer is BROKEN or answer.headers.get("connection") == "close":
            connection.close()
        run.expect(answer is not BROKEN, f"{request.method} {request.path}: no answer")
        in_line = answer.status == 503 and request.path == "/masuk"  # its script presses again
        run.expect(answer.status < 500 or in_line, f"{request.method} {request.path}", answer)
        self.step(connection, answer)

    def step(self, connection: Connection, answer: Answer | None) -> None:
        """Let the client think until its next request, or its end."""
        try:
            wish = connection.script.send(answer)
        except StopIteration:
            connection.close()
            return
        if isinstance(wish, Until):
            heapq.heappush(self.sleepers, (wish.moment, next(self._order), connection))
            return
        if connection.socket is None:
            connection.connect()
        size = connection.send(wish)
        if wish.label:
            self.run.sent[wish.label] = size
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.waiting += 1


def drive(
    address: tuple[str, int],
    scripts: list[tuple[Client, Script]],
    run: Run,
    *,
    connects_first: bool = True,
) -> Run:
    """Let these clients work, all at once, until each has ended.

    `connects_first`: their connections are open when the clock starts. Not for clients that come
    later, each at its time.
    """
    connections = [Connection(address, client, script) for client, script in scripts]
    for connection in connections if connects_first else ():
        connection.connect()
    gc.collect()
    gc.disable()
    run.began = time.perf_counter()
    try:
        _Loop(run).go(connections)
    finally:
        run.ended = time.perf_counter()
        gc.enable()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.close()
    return run
