"""The least that this server can do: one Flask route, a constant text."""

from flask import Flask, Response

app = Flask(__name__, static_folder=None)


@app.get("/")
def hello() -> Response:
    return Response("Halo", mimetype="text/plain")
