"""flask-smorest's blueprint, reading JSON without the standard parser's traps."""

from typing import Any

import flask_smorest
from flask import Request
from marshmallow import Schema, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.routing import PathConverter

from inventory import strict_json


class StrictParser(FlaskParser):
    """Reads a body as JSON, unless it is said to be something else; the schema refuses what a query misspells."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": None}  # noqa: RUF012  (webargs declares it for the instance)

    def load_json(self, req: Request, schema: Any) -> Any:  # noqa: ARG002  (webargs' signature)
        """The value of the body; a missing one is no value, so that the schema names what is missing.

        Raises:
            BadRequest: it is no JSON, or holds what no database could store.
            UnsupportedMediaType: it is said to be something else, such as a form, or compressed.
        """
        body = req.get_data()
        if not body:
            return missing
        if not (req.is_json or not req.mimetype) or req.content_encoding not in {None, "identity"}:
            raise UnsupportedMediaType
        try:
            return strict_json.loads(body)
        except strict_json.BadPayload as error:
            refused = BadRequest()
            refused.data = {"messages": {"json": {"body": [error.detail]}}}  # type: ignore[attr-defined]
            raise refused from error


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], **more: Any) -> Any:
        """As flask-smorest does it, but with one schema for all requests: to make one costs more than to use it."""
        return super().arguments(schema(), **more)


class BatchNumber(PathConverter):
    """A batch number in an address; GS1 allows it a slash anywhere, also at its beginning."""

    regex = ".+?"
    part_isolating = False
