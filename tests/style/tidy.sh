#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy over all sources: the quick checks of .clang-tidy.  PD_TIDY=all asks
# the static analyzer, too, which takes minutes.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh || exit 99
[ -z "${PD_LINTED-}" ] || skip "the linters have seen these sources"
for tool in clang-tidy pkg-config; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
checks='-clang-analyzer-*'
[ "${PD_TIDY-}" != all ] || checks=
flags=(-std=c11 -D_GNU_SOURCE -Icore -Icore/include -Irehearse -DPACKAGE_NAME='""' -DPACKAGE_VERSION='"0"' -DLT_OBJDIR='""'
	-DPD_PLUGIN_DIR='""' -DPD_SCRIPT_DIR='""' -DPD_CATALOG_DIR='""' -DPD_PROGRAM_DIR='""')
# one that is not known to pkg-config must not hide the others
for library in jansson libarchive libcurl libsystemd libxml-2.0 libxslt lua5.4 nettle sqlite3; do
	mapfile -t -O ${#flags[@]} flags < <(pkg-config --cflags "$library" | xargs -n1 | grep .)
done

# tidy FILE...: what it finds
tidy()
{
	printf '%s\0' "$@" | xargs -0 -P"$(nproc)" -I{} clang-tidy --quiet --config-file=.clang-tidy --checks="$checks" {} -- "${flags[@]}" 2>/dev/null
}

mapfile -t sources < <(find core plugins rehearse conform package transfer -name '*.c')
empty "nothing" "$(tidy "${sources[@]}")"
bad=$(mktemp --suffix=.c)
trap 'rm -f "$bad"' EXIT
echo 'int twice(int a); int twice(int a) { return a == a ? 1 : 2; }' >"$bad"
like "and it would find something" "$(tidy "$bad")" 'misc-redundant-expression'
end
