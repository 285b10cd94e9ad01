# SPDX-License-Identifier: MIT
"""Messages of the command protocol against its JSON Schema.

    command-schema.py SCHEMA dialogue FILE   lines "from TAB text", from: patchday or program; prints what there was
    command-schema.py SCHEMA manual FILE     what doc/command-protocol.md shows; prints what is not so, or missing
    command-schema.py SCHEMA lines           a line of a program on each line of standard input; prints good or bad
"""
import collections
import json
import re
import sys

import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)


def validator(kind):
    return jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": "#/$defs/" + kind})


whole = jsonschema.Draft202012Validator(schema)
request, line, acknowledgement = validator("request"), validator("line"), validator("acknowledgement")
verbs = {one["required"][0]: one for one in schema["$defs"]["line"]["oneOf"]}


def twice(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a doubled key")
    return dict(pairs)


def why(kind, text):
    """Why a text is no message of that kind; None: it is one."""
    try:
        message = json.loads(text, object_pairs_hook=twice)
    except ValueError as error:
        return str(error)
    if not kind.is_valid(message):
        return next(kind.iter_errors(message)).message[:200]
    return None if whole.is_valid(message) else "not by the schema as a whole"


def dialogue(path):
    seen, phases = collections.Counter(), []
    for text in open(path):
        sender, message = text.rstrip("\n").split("\t", 1)
        first = '"phase"' in message
        kind = line if sender == "program" else request if first else acknowledgement
        fault = why(kind, message)
        if fault:
            print(f"not by the schema: {sender}: {message}: {fault}")
        elif kind is request:
            phases.append(json.loads(message)["phase"])
        else:
            seen["ok" if kind is acknowledgement else next(v for v in verbs if v in json.loads(message))] += 1
    print(*phases, "|", *(f"{name}={n}" for name, n in sorted(seen.items())))


VALUES = {"TEXT": '"text"', "LEVEL": '"info"', "DONE": "1", "TOTAL": "2", "KEY": '"key"', "NAME": '"name"',
          "PATH": '"/path"', "WHY": '"because"', "SECONDS": "3"}


def manual(path):
    page = open(path).read()
    shown = re.findall(r"^\| `(\{.*?\})` \|", page, re.MULTILINE)
    words = schema["$defs"]["line"]["oneOf"][-1]["properties"]["result"]["enum"]
    for text in shown:
        for result in words if "RESULT" in text else [""]:
            values = dict(VALUES, RESULT=f'"{result}"')
            message = re.sub(r"\b[A-Z]+\b", lambda m: values[m[0]], text)
            fault = why(line, message)
            if fault:
                print(f"shown, and not by the schema: {message}: {fault}")
    keys = [set(json.loads(re.sub(r"\b[A-Z]+\b", lambda m: VALUES.get(m[0], '"x"'), text))) for text in shown]
    for name, one in verbs.items():
        if set(one["properties"]) not in keys:
            print(f"in the schema, and not shown with all its keys: {name}")
    for result in words:
        if f"`{result}`" not in page:
            print(f"in the schema, and not in the page: {result}")
    table = page.split("## The request")[1].split("## Lines")[0]
    told = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    for name in sorted(told ^ set(schema["$defs"]["request"]["properties"])):
        print(f"in the page or in the schema alone: {name} of the request")
    for text in re.findall(r"`(\{\"ok\".*?\})`", page):
        if why(acknowledgement, text):
            print(f"shown, and not by the schema: {text}")


if sys.argv[2] == "lines":
    for given in sys.stdin:
        print("bad" if why(line, given) else "good")
else:
    {"dialogue": dialogue, "manual": manual}[sys.argv[2]](sys.argv[3])
