"""What every response carries: security headers, gzip, and static files with hashed names."""

import gzip
import hashlib
import mimetypes
import re
import secrets
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

from flask import Flask, Request, Response, abort, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

STATIC = Path(__file__).parent / "static"
GZIP_FROM = 500  # bytes; below, the gzip frame eats the gain
# For pages that are packed each time: level 9 takes twice as long, to save 7 to 10 % of the bytes.
# A long form is worth its 0.3 ms: it is opened once a patient, not every few seconds.
QUICK, THOROUGH = 3, 9
LONG_PAGE = 20_000  # bytes
# Comments, empty lines and indents: for whoever reads the source. Ours has no string of two lines.
FOR_READERS = {
    ".js": re.compile(rb"^\s*//.*\n|^\s+", re.MULTILINE),
    ".css": re.compile(rb"\s*/\*.*?\*/|^\s+", re.DOTALL | re.MULTILINE),
}
RAW = -zlib.MAX_WBITS  # deflate alone, without a head
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}

MOST_FIELDS = 5000  # of a form; the longest page of ours has some hundred

# Marks where in a page the content goes that is packed already; nobody can type it.
SEAM = Markup("<!--{}-->").format(secrets.token_hex(16))


@dataclass(frozen=True)
class Content:
    """What is sent many times over, alone or within a page, and so packed only once, and well."""

    plain: bytes
    mimetype: str

    @cached_property
    def piece(self) -> bytes:
        """Packed to stand between other pieces (see `_joined`)."""
        packer = zlib.compressobj(THOROUGH, wbits=RAW)
        return packer.compress(self.plain) + packer.flush(zlib.Z_FULL_FLUSH)

    @cached_property
    def packed(self) -> bytes:
        return _joined(b"", self, b"")


@dataclass(frozen=True)
class Asset:
    digest: str
    content: Content


def _joined(before: bytes, content: Content, after: bytes) -> bytes:
    """One gzip file (RFC 1952) of three pieces: only what stands around the content is packed now.

    A piece that ends with a full flush ends on a whole byte, and nothing behind it refers back.
    """
    packer = zlib.compressobj(QUICK, wbits=RAW)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(after) + packer.flush()
    plain = before + content.plain + after
    check = struct.pack("<LL", zlib.crc32(plain), len(plain))
    return b"".join([GZIP_HEAD, head, content.piece, tail, check])


def answer(content: Content) -> Response:
    """The content alone, packed for whoever takes it so."""
    packs = _takes_gzip() and len(content.packed) < len(content.plain)
    return _response(content.packed if packs else content.plain, packs, content.mimetype)


def answer_around(page: str, content: Content, status: int) -> Response:
    """The page with the content at its seam."""
    before, _, after = page.partition(SEAM)
    packs = _takes_gzip()
    if packs:
        body = _joined(before.encode(), content, after.encode())
    else:
        body = before.encode() + content.plain + after.encode()
    return _response(body, packs, content.mimetype, status)


def _response(body: bytes, is_packed: bool, mimetype: str, status: int = 200) -> Response:
    response = Response(body, status, mimetype=mimetype)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def sent(path: Path) -> bytes:
    """A file of static/ as browsers get it."""
    plain = path.read_bytes()
    left_out = FOR_READERS.get(path.suffix)
    return left_out.sub(b"", plain) if left_out else plain


def _read_assets() -> dict[str, Asset]:
    found = {}
    for path in sorted(STATIC.iterdir()):
        mimetype = mimetypes.guess_type(path.name)[0]
        if mimetype and path.suffix in {".css", ".js", ".svg", ".png", ".ico"}:
            plain = sent(path)
            digest = hashlib.sha256(plain).hexdigest()[:10]
            found[path.name] = Asset(digest, Content(plain, mimetype))
            _ = found[path.name].content.packed  # now, in memory that all workers share
    return found


def _takes_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _finish(response: Response) -> Response:
    """Headers on all, errors included; a bodiless 204 carries `no-store` alone: it is the poll."""
    if response.status_code == 204:
        response.headers.clear()
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers.extend(HEADERS)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if _takes_gzip() and not (
        response.direct_passthrough or "Content-Encoding" in response.headers
    ):
        _pack(response)
    return response


def _pack(response: Response) -> None:
    plain = response.get_data()
    if len(plain) >= GZIP_FROM:
        level = THOROUGH if len(plain) >= LONG_PAGE else QUICK
        response.set_data(gzip.compress(plain, level, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")


class FormParser(FormDataParser):
    """Refuses a form that it can't read, or not in any good time."""

    def parse(self, stream, mimetype, content_length, options=None):
        self.silent = False  # else it would be a form without any field, its token included
        if mimetype == "application/x-www-form-urlencoded":  # of parts, Flask counts them itself
            body = stream.read()
            if body.count(b"&") >= MOST_FIELDS:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        try:
            return super().parse(stream, mimetype, content_length, options)
        except ValueError as problem:  # a file's name in an old encoding, say
            raise UnsupportedMediaType from problem


class CleanRequest(Request):
    """What was sent without NUL: no keyboard types it, and PostgreSQL takes none in any text."""

    form_data_parser_class = FormParser

    @cached_property
    def args(self) -> MultiDict:
        return _without_nul(super().args)

    def _load_form_data(self) -> None:
        super()._load_form_data()
        self.__dict__["form"] = _without_nul(self.__dict__["form"])


def _without_nul(sent: MultiDict) -> MultiDict:
    if not any("\0" in text for _, text in sent.items(multi=True)):
        return sent
    return type(sent)((name, text.replace("\0", "")) for name, text in sent.items(multi=True))


def _refuse_nul_in_path() -> None:
    if "\0" in request.path:
        abort(404)


def init_app(app: Flask) -> None:
    assets = _read_assets()
    addresses = {name: f"/static/{found.digest}/{name}" for name, found in assets.items()}

    def static(digest: str, name: str) -> Response:
        found = assets.get(name)
        if found is None or found.digest != digest:
            abort(404)
        response = answer(found.content)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    static.access = "public"
    app.add_url_rule("/static/<digest>/<name>", "static", static)
    app.jinja_env.globals["asset"] = addresses.__getitem__
    app.request_class = CleanRequest
    app.before_request(_refuse_nul_in_path)
    app.after_request(_finish)
