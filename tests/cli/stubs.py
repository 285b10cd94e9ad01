# SPDX-License-Identifier: MIT
"""Reads annotations for a Lua language server as the servers do, and tells
what they declare, a line each:

    field CLASS NAME required|optional TYPE
    function CLASS NAME TYPE-OF-PARAMETERS -> RETURNED-TYPES
    use PLUGIN CLASS

Ends with 1, and says where, if a line is not well-formed, a type is named that
nobody declares, or a comment does not fit the function below it.
"""
import re
import sys

BUILTIN = {"any", "boolean", "false", "function", "integer", "nil", "number", "string", "table", "true"}
declared, used, faults, facts = set(BUILTIN), [], [], []


class Bad(Exception):
    pass


class Type:
    """A type at the beginning of a text: .text is how it is written, .rest what follows."""

    def __init__(self, text, place):
        self.place, self.rest = place, text
        before = text
        self.union()
        self.text = before[: len(before) - len(self.rest)].strip()

    def take(self, pattern):
        m = re.match(pattern, self.rest)
        if m:
            self.rest = self.rest[m.end():]
        return m

    def need(self, pattern):
        return self.take(pattern) or self.bad(pattern)

    def bad(self, what):
        raise Bad("expected %s at '%s'" % (what, self.rest))

    def union(self):
        self.atom()
        while self.take(r"\|"):
            self.atom()

    def atom(self):
        if self.take(r"fun\("):
            self.function()
        elif not self.take(r'"[^"]*"|-?\d+(?![\w.])'):
            self.name()
        while self.take(r"\[\]"):
            pass

    def name(self):
        used.append((self.need(r"[A-Za-z_][\w.]*\w|[A-Za-z]").group(), self.place))
        if self.take("<"):
            self.union()
            while self.take(", *"):
                self.union()
            self.need(">")

    def function(self):
        while not self.take(r"\)"):
            self.need(r"(\w+\??|\.\.\.)")
            if self.take(": *"):
                self.union()
            self.take(", *")
        if self.take(": *"):
            self.union()


class File:
    def __init__(self, path):
        self.path, self.owner, self.tables = path, None, {}
        self.clear()
        for self.number, line in enumerate(open(path, encoding="utf-8"), 1):
            try:
                self.line(line.rstrip("\n"))
            except Bad as bad:
                faults.append("%s:%d: %s" % (path, self.number, bad))

    def clear(self):
        self.params, self.returns, self.overloads = [], [], []

    def line(self, line):
        tag = re.match(r"---@(\w+) ?(.*)$", line)
        if tag:
            handler = getattr(self, "tag_" + tag[1], None)
            if not handler:
                raise Bad("there is no annotation @" + tag[1])
            handler(tag[2])
        elif re.match(r"local \w+ = \{\}$", line):
            self.tables[line.split()[1]] = self.owner
        elif line.startswith("function "):
            self.function(line)
            self.clear()
        elif not re.match(r"--|return \w+$|do$|end$|$", line):
            raise Bad("neither an annotation nor a declaration: '%s'" % line)

    def type(self, text):
        return Type(text, "%s:%d" % (self.path, self.number))

    def tag_meta(self, text):
        if self.number != 1 or not re.fullmatch(r"[\w.]*", text):
            raise Bad("@meta NAME is the first line")

    def tag_class(self, text):
        m = re.fullmatch(r"(?:\(exact\) )?([\w.]+)(?:: ([\w.]+))?", text) or self.bad("@class NAME: PARENT")
        self.owner = m[1]
        declared.add(m[1])
        if m[2]:
            used.append((m[2], "%s:%d" % (self.path, self.number)))

    def tag_alias(self, text):
        m = re.match(r"([\w.]+) (.+)", text) or self.bad("@alias NAME TYPE")
        declared.add(m[1])
        if self.type(m[2]).rest:
            raise Bad("text behind the alias")

    def tag_field(self, text):
        m = re.match(r"(\w+)(\??) (.+)|\[(integer|string)\](\??) (.+)", text) or self.bad("@field NAME TYPE")
        given = self.type(m[3] or m[6])
        if given.rest and given.rest[0] != " ":
            raise Bad("'%s' is no type" % (given.text + given.rest))
        if m[1]:
            facts.append("field %s %s %s %s" % (self.owner, m[1], "optional" if m[2] else "required", given.text))

    def tag_operator(self, text):
        self.type((re.fullmatch(r"len: (.+)", text) or self.bad("@operator len: TYPE"))[1])

    def tag_param(self, text):
        m = re.match(r"(\w+|\.\.\.)(\??) (.+)", text) or self.bad("@param NAME TYPE")
        self.params.append((m[1], m[2] + self.type(m[3]).text))

    def tag_return(self, text):
        self.returns.append(self.type(text).text)

    def tag_overload(self, text):
        self.type(text)
        m = re.fullmatch(r'fun\(name: "(\w+)"\): ([\w.]+)', text) or self.bad("an overload for a plugin")
        facts.append("use %s %s" % (m[1], m[2]))

    def bad(self, what):
        raise Bad("expected " + what)

    def function(self, line):
        m = re.fullmatch(r"function (\w+)[.:](\w+)\(([^)]*)\) end", line) or self.bad("function TABLE.NAME(...) end")
        if m[1] not in self.tables:
            raise Bad("nobody declares the table '%s'" % m[1])
        if re.findall(r"\w+|\.\.\.", m[3]) != [name for name, _ in self.params]:
            raise Bad("the parameters of %s are not those that are described" % m[2])
        facts.append("function %s %s %s -> %s" % (self.tables[m[1]], m[2], ", ".join(t for _, t in self.params),
                                                  ", ".join(self.returns)))


for argument in sys.argv[1:]:
    File(argument)
faults += ["%s: nobody declares the type %s" % (place, name) for name, place in used if name not in declared]
faults += ["twice: " + fact for fact in sorted({f for f in facts if facts.count(f) > 1})]
print("\n".join(facts))
sys.stderr.write("".join(fault + "\n" for fault in faults))
sys.exit(1 if faults else 0)
