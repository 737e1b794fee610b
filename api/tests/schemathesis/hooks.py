"""What Schemathesis cannot know of our API: what exists, how its addresses look, which requests are right where fields depend
on one another, what breaks those who trust texts and numbers, and what answers have to be besides what the document says."""

import copy
import itertools
import json
import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

from values import ADDRESSES, ODD_NUMBERS, ODD_TEXTS, RIGHT

DOCUMENT = json.loads(Path("openapi.json").read_text(encoding="utf-8"))
# ids of what exists, by the beginning of the paths that name it; the longest that fits counts
KNOWN = dict(sorted(json.loads(os.environ["SWITCHYARD_IDS"]).items(), key=lambda known: -len(known[0])))

NEVER_RIGHT = {
    # a code is another one each half minute, and wrong passwords keep the right one waiting
    "POST /api/auth/totp/confirm",
    "POST /api/auth/totp",
    # who asks may not: afterwards all others would be refused
    "POST /api/keys/{id}/revoke",
    "POST /api/users/{user_id}/block",
    "POST /api/users/{user_id}/unblock",
    "PUT /api/operations/switches/{name}",
    # one change of the settings waits at a time, and another was asked for before
    "POST /api/settings/versions/{version}/restore",
}

schemathesis.openapi.format("tron-address", st.sampled_from(ADDRESSES))
counter = itertools.count()


@schemathesis.hook
def map_case(context, case):
    """Of requests that are as they should be most are for something that exists, and are made for the first time: nothing else is
    looked at where the object is unknown, or the mark was used for another request."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if case.path == "/api/events":
        # else it would go on for an hour
        case.query = {**(case.query or {}), "follow": "false"}
    mark = (case.headers or {}).get("Idempotency-Key")
    if mark is not None and len(mark) < 200 and next(counter) % 8:
        case.headers["Idempotency-Key"] = f"{mark}{next(counter)}"
    # what exists is removed by the one right request alone
    if case.path_parameters and case.method.upper() != "DELETE" and next(counter) % 4:
        case.path_parameters.update(known(case.path, next(counter)))
    if isinstance(case.body, dict) and next(counter) % 4:
        as_is_sold(case.body)
    return case


def as_is_sold(body):
    """Orders of a usual size, and on no quote."""
    body.pop("quote_id", None)
    for field, usual in (("energy", 65_000), ("duration_s", 3_600)):
        if field in body and next(counter) % 2:
            body[field] = usual


def known(path, one):
    """The one of so many of what exists of what a path names."""
    for prefix, parameters in KNOWN.items():
        if path.startswith(prefix):
            return {name: ids[one % len(ids)] for name, ids in parameters.items() if f"{{{name}}}" in path}
    return {}


# ---- one odd value at a time --------------------------------------------------------------------------------------------


def body_fields(operation):
    """The fields of the body's object, by name, with what the document says of them."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for option in [schema, *schema.get("oneOf", [])]:
        if "$ref" in option:
            return DOCUMENT["components"]["schemas"][option["$ref"].rsplit("/", 1)[1]].get("properties", {})
    return {}


def odd_for(schema):
    types = schema.get("type", [])
    if "string" in types:
        yield from ODD_TEXTS
    elif "integer" in types:
        yield from ODD_NUMBERS
    elif "array" in types:
        yield from ([odd] for odd in odd_for(schema.get("items", {})))
        yield [""] * 1_000


def inner_leaves(value, path=()):
    """Where the texts and numbers are that lie deeper than a field of the body."""
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from inner_leaves(inner, (*path, step))
    elif isinstance(value, str | int) and len(path) > 1:
        yield path, ODD_TEXTS if isinstance(value, str) else ODD_NUMBERS


def with_leaf(value, path, leaf):
    value = copy.deepcopy(value)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = leaf
    return value


def odd_bodies(body, fields):
    for name, schema in fields.items():
        yield from ({**body, name: odd} for odd in odd_for(schema))
    for path, odds in inner_leaves(body):
        yield from (with_leaf(body, path, odd) for odd in odds)


@schemathesis.hook
def before_add_examples(context, examples):
    """To the examples: a request that is right, and each of its parameters and fields once with each odd value."""
    operation = context.operation
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]
    parameters = [(parameter["name"], parameter["in"], parameter["schema"]) for parameter in described.get("parameters", [])]
    body = RIGHT.get(operation.label)
    # what is removed is none that others ask for
    which = -1 if operation.method.upper() == "DELETE" else 0

    def add(path=None, query=None, body=body):
        headers = {"Idempotency-Key": f"odd{next(counter)}"} if ("Idempotency-Key", "header") in places else {}
        right = {name: 42 if name == "user_id" else ADDRESSES[3] for name, place, _ in parameters if place == "path"}
        given = {} if body is None else {"body": body, "media_type": "application/json"}
        path_parameters = {**right, **known(operation.path, which), **(path or {})}
        examples.append(operation.Case(headers=headers, path_parameters=path_parameters, query=query or {}, **given))

    places = {(name, place) for name, place, _ in parameters}
    add()
    add(query={UNKNOWN: "1"})
    for name, place, schema in parameters:
        if place == "query":
            for odd in odd_for(schema):
                add(query={name: odd})
        elif place == "path":
            # there all is text; one that is empty or goes up would make it another path
            for odd in (text for text in [*ODD_TEXTS, *map(str, ODD_NUMBERS)] if text and not text.startswith("..")):
                add(path={name: odd})
    if body is not None:
        for odd in odd_bodies(body, body_fields(described)):
            add(body=odd)


# no route has a parameter of this name
UNKNOWN = "unheard_of"

# ---- checks -------------------------------------------------------------------------------------------------------------

UNREADABLE = {"bad_request", "malformed_json", "unsupported_media_type", "idempotency_key_required", "idempotency_key_invalid"}
SHAPES = {"missing_field", "unknown_field", "duplicate_field", "unknown_parameter"}
# of numbers JSON Schema knows no width, and 1.0 is an integer to it
WIDTHS = ("expected i32", "expected i64", "expected u32")
# either `txid`, or `amount` and `reason`: the document says so in words
EITHER_OR = {"POST /api/users/{user_id}/deposit"}


@schemathesis.check
def what_fits_the_document_is_understood(ctx, response, case):
    """A request that the document allows may be refused for what it asks, and never for how it is made."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    problem = response.json()
    assert problem["code"] not in UNREADABLE, problem
    for error in problem.get("errors", []):
        wrong_type = error["code"] == "invalid_type" and not error["detail"].startswith(WIDTHS)
        wrong_shape = error["code"] in SHAPES and case.operation.label not in EITHER_OR
        assert not wrong_type and not wrong_shape, problem


@schemathesis.check
def an_unknown_parameter_is_refused(ctx, response, case):
    if UNKNOWN in (case.query or {}) and case.operation.label not in NEVER_RIGHT:
        problem = response.json()
        assert [error["code"] for error in problem.get("errors", [])] == ["unknown_parameter"], problem


@schemathesis.check
class EveryOperationServes:
    """Guards this suite itself: of an operation that refuses whatever is sent, nothing was seen."""

    def __init__(self):
        self.served = {}

    def after_response(self, ctx, response, case):
        label = case.operation.label
        self.served[label] = self.served.get(label, False) or 200 <= response.status_code < 300

    def after_run(self, ctx):
        never = sorted(label for label, served in self.served.items() if not served and label not in NEVER_RIGHT)
        assert not never, f"these operations refused every request: {never}"
