"""What every response carries: security headers, gzip, and static files with hashed names."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request, url_for

STATIC = Path(__file__).parent / "static"
GZIP_FROM = 500  # bytes; below, the gzip frame eats the gain
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


@dataclass(frozen=True)
class Asset:
    digest: str
    mimetype: str
    plain: bytes
    packed: bytes


def _read_assets() -> dict[str, Asset]:
    found = {}
    for path in sorted(STATIC.iterdir()):
        mimetype = mimetypes.guess_type(path.name)[0]
        if mimetype and path.suffix in {".css", ".js", ".svg", ".png", ".ico"}:
            plain = path.read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:10]
            packed = gzip.compress(plain, 9, mtime=0)
            found[path.name] = Asset(digest, mimetype, plain, packed)
    return found


def _takes_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _finish(response: Response) -> Response:
    """Headers on all, errors included; a bodiless 204 carries `no-store` alone: it is the poll."""
    if response.status_code == 204:
        response.headers.clear()
        response.headers["Cache-Control"] = "no-store"
        return response
    for name, text in HEADERS.items():
        response.headers[name] = text
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if _is_worth_packing(response):
        response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
    return response


def _is_worth_packing(response: Response) -> bool:
    return (
        _takes_gzip()
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and len(response.get_data()) >= GZIP_FROM
    )


def init_app(app: Flask) -> None:
    assets = _read_assets()

    def asset(name: str) -> str:
        return url_for("static", digest=assets[name].digest, name=name)

    def static(digest: str, name: str) -> Response:
        found = assets.get(name)
        if found is None or found.digest != digest:
            abort(404)
        packs = _takes_gzip() and len(found.packed) < len(found.plain)
        response = Response(found.packed if packs else found.plain, mimetype=found.mimetype)
        if packs:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    static.access = "public"
    app.add_url_rule("/static/<digest>/<name>", "static", static)
    app.jinja_env.globals["asset"] = asset
    app.after_request(_finish)
