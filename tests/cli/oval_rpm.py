# SPDX-License-Identifier: MIT
# oval_rpm.py SEED FOLDER: two spec files of small packages, and an OVAL catalog
# that asks of them in every way that is read, all picked at random.
import random
import sys
from xml.sax.saxutils import quoteattr, escape

rng = random.Random(int(sys.argv[1]))
folder = sys.argv[2]
NAMES = ["alpha", "beta", "gamma-libs", "delta2", "e.psilon", "zeta+", "eta-release", "theta", "kernel", "iota"]
ORDERS = ["equals", "not equal", "less than", "less than or equal", "greater than", "greater than or equal"]
SCHEMAS = "http://oval.mitre.org/XMLSchema/oval-"


def version():
    return ".".join(rng.choice(["0", "1", "2", "9", "10", "1a", "01", "2~rc1"]) for _ in range(rng.randint(1, 3)))


def release():
    return rng.choice(["1", "2", "10"]) + rng.choice(["", ".el8", ".el8_1", ".fc30"])


builds = []
for number in (1, 2):
    chosen = rng.sample(NAMES, 8 if number == 1 else 3)
    spec = "Name: base%d\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\n%%description\nx\n" % number
    for name in chosen:
        epoch, arch = rng.choice(["", "", "1", "2"]), rng.choice(["noarch", ""])
        v, r = version(), release()
        builds.append((name, epoch, v, r, arch or "x86_64"))
        spec += "%%package -n %s\nVersion: %s\nRelease: %s\nSummary: x\n" % (name, v, r)
        spec += "Epoch: %s\n" % epoch if epoch else ""
        spec += "BuildArch: noarch\n" if arch else ""
        spec += "%%description -n %s\nx\n%%files -n %s\n" % (name, name)
    with open("%s/%d.spec" % (folder, number), "w") as out:
        out.write(spec)

tests, objects, states, definitions = [], [], [], []


def entity(name, value, operation="equals", datatype="string"):
    return "<%s datatype=%s operation=%s>%s</%s>" % (name, quoteattr(datatype), quoteattr(operation), escape(value), name)


def near():
    """epoch, version, release: of a package, or another one"""
    name, epoch, v, r, _ = rng.choice(builds)
    return epoch or "0", rng.choice([v, v, version()]), rng.choice([r, r, release()])


def state_entity(kind):
    epoch, v, r = near()
    evr = "%s:%s-%s" % (epoch, v, r)
    same = rng.choice(["equals", "not equal", "case insensitive equals", "case insensitive not equal"])
    order = rng.choice(ORDERS)
    if kind == "evr":
        return rng.choice([entity("evr", evr, order, "evr_string"), entity("evr", evr, order, "evr_string"),
                           entity("evr", "%s-%s" % (v, r), order, "evr_string"), entity("evr", evr, same),
                           entity("evr", "^%s:%s" % (epoch, v[0]), "pattern match")])
    if kind == "arch":
        return rng.choice([entity("arch", rng.choice(["x86_64", "noarch", "X86_64", "NoArch"]), same),
                           entity("arch", "^(x86_64|aarch64)$", "pattern match")])
    if kind == "epoch":
        return rng.choice([entity("epoch", rng.choice(["0", "1", "2", "(none)"]), same),
                           entity("epoch", rng.choice("012"), order, "int")])
    text, pattern = (v, "^" + v[0] + rng.choice(["", r"\b"])) if kind == "version" else (r, rng.choice([r"\.el8", r"el8\b"]))
    return rng.choice([entity(kind, rng.choice([text, text.upper()]), same), entity(kind, pattern, "pattern match"),
                       entity(kind, text, order, "version"), entity(kind, rng.choice("129"), order, "int")])


for i in range(1, 241):
    name = rng.choice(NAMES)
    by, others = rng.random() < 0.75, rng.random() < 0.1
    objects.append('<rpminfo_object xmlns="%sdefinitions-5#linux" id="oval:x:obj:%d" version="1">%s</rpminfo_object>' % (
        SCHEMAS, i, entity("name", name, "not equal" if others else "equals") if by else entity("name", rng.choice(["a$", "^e", "eta", "^(kernel|iota)$"]), "pattern match")))
    kinds = rng.sample(["evr", "arch", "version", "release", "epoch"], rng.choice([1, 1, 2]))
    states.append('<rpminfo_state xmlns="%sdefinitions-5#linux" id="oval:x:ste:%d" version="1" operator="%s">%s</rpminfo_state>' % (
        SCHEMAS, i, rng.choice(["AND", "OR"]), "".join(state_entity(k) for k in sorted(
            kinds, key=["arch", "epoch", "release", "version", "evr"].index))))
    tests.append('<rpminfo_test xmlns="%sdefinitions-5#linux" id="oval:x:tst:%d" version="1" comment="x" check="%s" '
                 'check_existence="%s"><object object_ref="oval:x:obj:%d"/>%s</rpminfo_test>' % (
                     SCHEMAS, i, rng.choice(["all", "at least one", "none satisfy", "only one"]),
                     rng.choice(["at_least_one_exists", "any_exist", "none_exist", "only_one_exists", "all_exist"]), i,
                     '<state state_ref="oval:x:ste:%d"/>' % i if rng.random() < 0.8 else ""))


def criteria(depth):
    parts = []
    for _ in range(rng.randint(1, 3)):
        if depth and rng.random() < 0.3:
            parts.append(criteria(depth - 1))
        else:
            parts.append('<criterion test_ref="oval:x:tst:%d" negate="%s"/>' % (
                rng.randint(1, len(tests)), rng.choice(["true", "false", "false"])))
    return '<criteria operator="%s" negate="%s">%s</criteria>' % (
        rng.choice(["AND", "OR", "ONE", "XOR"]), rng.choice(["true", "false", "false"]), "".join(parts))


for i in range(1, 301):
    body = '<criteria><criterion test_ref="oval:x:tst:%d"/></criteria>' % i if i <= len(tests) else criteria(2)
    definitions.append('<definition id="oval:x:def:%d" version="1" class="%s"><metadata><title>x</title>'
                       '<description>x</description></metadata>%s</definition>' % (
                           i, rng.choice(["patch", "vulnerability", "inventory"]), body))
with open(folder + "/catalog.xml", "w") as out:
    out.write('<oval_definitions xmlns="%sdefinitions-5"><generator xmlns:o="%scommon-5"><o:product_name>x</o:product_name>'
              '<o:schema_version>5.11</o:schema_version><o:timestamp>2026-01-01T00:00:00</o:timestamp></generator>'
              % (SCHEMAS, SCHEMAS))
    for name, rows in (("definitions", definitions), ("tests", tests), ("objects", objects), ("states", states)):
        out.write("<%s>\n%s\n</%s>\n" % (name, "\n".join(rows), name))
    out.write("</oval_definitions>\n")
