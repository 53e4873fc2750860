"""Times each request that reaches a view, for the speed of the last hour at /sistem.

The commonest poll is answered before Flask (polling.py) and costs what it did: nothing here.
"""

import time

from flask import Flask, Response, g, request

from clinic.speed import Recorder


def init_app(app: Flask) -> None:
    """Must come first: `before_request` runs in this order, `after_request` in the reverse one."""
    recorder = Recorder(app.config["ALUR"].data / "state")

    def begin() -> None:
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and "began" in g and not rule.rule.startswith("/static/"):
            seconds = time.perf_counter() - g.began
            recorder.record(request.method, rule.rule, seconds, response.status_code)
        return response

    app.before_request(begin)
    app.after_request(end)
    app.extensions["speed"] = recorder
