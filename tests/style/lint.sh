#!/bin/bash
# SPDX-License-Identifier: MIT
# Linters over the whole tree.
set -u
cd "${PD_SRCDIR:-.}" || exit 99
. tests/style/tap.sh || exit 99
[ -z "${PD_LINTED-}" ] || skip "the linters have seen these sources"
for tool in cppcheck luacheck shellcheck codespell; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done

empty "cppcheck" "$(find core plugins rehearse conform package transfer -name '*.c' -print0 |
	xargs -0 cppcheck --quiet -j"$(nproc)" --std=c11 -Icore -Icore/include --enable=warning,portability \
		--inline-suppr --suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=ctunullpointer \
		-D'json_array_foreach(a,i,v)=for (i = 0; (v = json_array_get(a, i)); i++)' \
		-D'json_object_foreach(o,k,v)=for (k = ""; (v = json_object_get(o, k)); k++)' \
		-D'SD_JOURNAL_FOREACH_DATA(j,d,l)=for (; sd_journal_enumerate_data(j, \&d, \&l);)' \
		--suppress=nullPointerOutOfMemory --template='{file}:{line}: {id}: {message}' 2>&1)"
empty "luacheck" "$(luacheck --quiet --no-color scripts 2>&1 | grep -v '^Total: 0 warnings / 0 errors' | grep .)"
mapfile -t shells < <(grep -rlE '^#!/bin/(ba)?sh|shellcheck shell' tests quickstart autogen.sh .ci debian --include='*' 2>/dev/null |
	grep -vE '\.(trs|log)$')
empty "shellcheck" "$(printf '%s\0' "${shells[@]}" |
	xargs -0 -n8 -P"$(nproc)" shellcheck --severity=warning --exclude=SC1010,SC2054,SC2209 --external-sources 2>&1)"
empty "codespell" "$(codespell --quiet-level=35 --skip='*.log,*.trs,./build*,./.git,./m4,./build-aux,./autom4te.cache,./configure*,./aclocal.m4,*.in,*.test,tests/fuzz/corpus,tests/data,doc/pictures/*.svg' \
	--ignore-words-list=isnt,stdio,fo,ser,te,ot,inout,blotted,fpr,consol,upto,neded,faild core plugins rehearse conform package transfer scripts doc tests README.md NEWS quickstart 2>&1)"
end
