"""Replaces three of four generated ids by ids that exist: otherwise nearly every request would be answered 404."""

import json
import os
import zlib

import schemathesis

SEEDED = json.loads(os.environ["SEEDED"])


def kind(path):
    if "{number}" in path:
        return "numbers"
    if "/handovers/" in path:
        return "handovers"
    return "conversations" if "/conversations/" in path else "tickets"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    pool = SEEDED[kind(context.operation.path)]
    for name, value in (path_parameters or {}).items():
        dice = zlib.crc32(repr(value).encode())
        if dice % 4:
            path_parameters[name] = pool[dice // 4 % len(pool)]
    return path_parameters
