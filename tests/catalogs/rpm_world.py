#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small world of rpm packages that no two runs share: rpm_world.py FOLDER SEED

  installed.spec, installed32.spec, several*.spec   what is installed, to be built with rpmbuild
  offered.spec      packages of a repository that take the place of others, and of modules
  updateinfo.xml, modules.yaml       of that repository
  installed.tsv     the same as installed*.spec, as patchday takes it
  enabled.tsv       module streams that are enabled
  other-arch.txt    "ID PACKAGE" of updates that are for another architecture than
                    the package that is there, one of both being noarch
  several.txt       updates of packages that are there in several versions
"""
import random
import sys
from xml.sax.saxutils import quoteattr

folder, seed = sys.argv[1], int(sys.argv[2])
R = random.Random(seed)


def version():
    """Any that rpm takes; which of two is newer is for others to say."""
    parts = [str(R.randint(0, 11)) for _ in range(R.randint(1, 3))]
    return ".".join(parts) + R.choice(["", "", "", "a", "b2", "~rc1", "~rc2", "^git3", "+1", ".0", "_4"])


def release():
    return R.choice(["1", "2", "10", "1.1", "1~a", "3.el9", "3.el10", "0.1", "7^x"])


def evr():
    return R.choice([0, 0, 0, 1, 2]), version(), release()


def nevra(name, v, arch):
    return "%s-%s%s-%s.%s" % (name, "%d:" % v[0] if v[0] else "", v[1], v[2], arch)


def write(name, text):
    with open(folder + "/" + name, "w") as f:
        f.write(text)


def spec(packages):
    """(name, evr, arch, obsoletes) each; the main package is none of them."""
    out = ["%global debug_package %{nil}\nName: world\nVersion: 1\nRelease: 1\nSummary: s\nLicense: none\n%description\n"]
    for name, v, arch, obsoletes in packages:
        out.append("%%package -n %s\nSummary: s\nEpoch: %d\nVersion: %s\nRelease: %s\n%s%s%%description -n %s\n%%files -n %s\n" % (
            name, v[0], v[1], v[2], "BuildArch: noarch\n" if arch == "noarch" else "",
            "Obsoletes: %s\n" % obsoletes if obsoletes else "", name, name))
    return "".join(out)


names = {"p%d" % i: R.choice(["x86_64", "noarch", "i686"]) for i in range(30)}
# kernels are there in several versions, and some packages in two architectures
names.update({"kernel": "x86_64", "kernel-devel": "noarch"})
double = {"d%d" % i for i in range(4)}
names.update({n: "x86_64" for n in double})
chains = {n: [evr() for _ in range(4)] for n in names}
installed = [(n, R.choice(chains[n]), a, None) for n, a in names.items() if R.random() < 0.8]
for p in [p for p in installed if p[0] in double]:
    installed.append((p[0], p[1], "i686", None))
several = [(n, v, names[n], None) for n in ("kernel", "kernel-devel") for v in R.sample(chains[n], 2)
           if (n, v, names[n], None) not in installed]
have = {p[0] for p in installed + several}
advisories, other = [], []
for i in range(60):
    packages = {}
    for n in R.sample(sorted(names), R.randint(1, 4)):
        packages[n] = (n, R.choice(chains[n]), R.choice([names[n], "i686"]) if n in double else names[n], None)
    if R.random() < 0.15:  # one that changes its architecture
        n = R.choice(sorted(set(packages) - double) or ["p0"])
        packages.setdefault(n, (n, R.choice(chains[n]), names[n], None))
        arch = "x86_64" if names[n] == "noarch" else "noarch"
        packages[n] = (n, packages[n][1], arch, None)
        if n in have:
            other.append("A-%d %s" % (i, nevra(n, packages[n][1], arch)))
    advisories.append(("A-%d" % i, list(packages.values()), None))

# Some are there twice, with other packages.
for i in R.sample(range(60), 6):
    n = R.choice(sorted(set(names) - double))
    advisories.append(("A-%d" % i, [(n, R.choice(chains[n]), names[n], None)], None))

# Packages with a new name: o3 takes the place of old3, if its version is such.
offered = []
for i in range(8):
    old, new = evr(), evr()
    arch = R.choice(["x86_64", "noarch"])
    installed.append(("old%d" % i, old, arch, None))
    bound = R.choice([None, ("<", evr()), ("<=", old), ("<", old), ("=", old), (">=", evr()), ("<", (0, "100", None))])
    text = "old%d" % i if not bound else "old%d %s %s%s%s" % (i, bound[0], "%d:" % bound[1][0] if bound[1][0] else "",
        bound[1][1], "-" + bound[1][2] if bound[1][2] else "")
    offered.append(("o%d" % i, new, arch, text))
    advisories.append(("O-%d" % i, [offered[-1]], None))

# Modules: m0 has its stream 1 enabled, m1 its stream 2, m2 none.
modules, enabled = [], []
for i in range(3):
    for stream in ("1", "2"):
        v = (0, version(), "1.module+%s" % stream)
        package = ("mp%d" % i, v, "x86_64", None)
        modules.append(("m%d" % i, stream, package))
        advisories.append(("M-%d-%s" % (i, stream), [package], ("m%d" % i, stream)))
    installed.append(("mp%d" % i, (0, version(), R.choice(["1.module+1", "1"])), "x86_64", None))
    if i < 2:
        enabled.append(("m%d" % i, str(i + 1)))

write("installed.spec", spec([p for p in installed if p[2] != "i686"]))
write("installed32.spec", spec([p for p in installed if p[2] == "i686"]))
write("offered.spec", spec(offered))
for i, p in enumerate(several):  # one at a time: a name is once in a spec
    write("several%d.spec" % i, spec([p]))
installed += several
write("installed.tsv", "".join("%s\t%s\t%s\t%s\t%s\n" % (n, v[0] or R.choice(["0", ""]), v[1], v[2], a)
                               for n, v, a, _ in installed))
write("enabled.tsv", "".join("%s\t%s\n" % m for m in enabled))
write("other-arch.txt", "".join(line + "\n" for line in other))
write("several.txt", "".join(i + "\n" for i, packages, _ in advisories if any(p[0].startswith("kernel") for p in packages)))
xml = ["<updates>\n"]
for ident, packages, module in advisories:
    # one is issued again, with another revision
    # of what is called obsolete or withdrawn dnf and zypper say what they say of all
    xml.append('<update from="x" status="%s" type=%s version="%d"><id>%s</id><title>t</title><issued date="2026-01-01"/>'
        "<severity>%s</severity><pkglist><collection short=\"c\">" % (
            R.choice(["final", "final", "stable", "obsolete", "withdrawn"]), quoteattr(R.choice(["security", "bugfix", "enhancement"])), R.choice([1, 1, 1, 2]), ident, R.choice(["Important", "Low"])))
    if module and R.random() < 0.3:  # one of several that it is for, of which any counts
        other = '<module name="%s" stream="3" version="1" context="c" arch="x86_64"/>' % R.choice(["m0", "m1", "none"])
        xml.append(other)
    if module:
        xml.append('<module name="%s" stream="%s" version="1" context="c%s" arch="x86_64"/>' % (module[0], module[1], module[1]))
    for k, (n, v, a, _) in enumerate(packages):
        if k and not module and R.random() < 0.2:
            xml.append("</collection><collection short=\"d\">")
        epoch = ' epoch="%d"' % v[0] if v[0] or R.random() < 0.7 else ""
        xml.append("<package name=%s%s version=%s release=%s arch=\"%s\"><filename>%s.rpm</filename></package>" % (
            quoteattr(n), epoch, quoteattr(v[1]), quoteattr(v[2]), a, nevra(n, v, a)))
    xml.append("</collection></pkglist></update>\n")
write("updateinfo.xml", "".join(xml) + "</updates>\n")
yaml = []
for name, stream, package in modules:
    n, v, a, _ = package
    yaml.append("---\ndocument: modulemd\nversion: 2\ndata:\n  name: %s\n  stream: \"%s\"\n  version: 1\n  context: c%s\n"
        "  arch: x86_64\n  summary: s\n  description: d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms:\n"
        "    - %s-%d:%s-%s.%s\n...\n" % (name, stream, stream, n, v[0], v[1], v[2], a))
# Some have a default stream, which counts where none is enabled.
for i in range(3):
    if R.random() < 0.6:
        stream = R.choice(["1", "2"])
        yaml.append("---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m%d\n  stream: \"%s\"\n"
            "  profiles:\n    %s: [x]\n...\n" % (i, stream, stream))
write("modules.yaml", "".join(yaml))
