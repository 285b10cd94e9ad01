#!/bin/bash
# SPDX-License-Identifier: MIT
# What shells offer behind "patchday": that which there is, in bash, zsh and fish.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
export PATH=$tmp/bin:$PATH
mkdir "$tmp/bin" "$tmp/all"
cp "$PD_BUILDDIR"/plugins/*/.libs/*.so "$tmp/all/"
ln -s "$PD_BUILDDIR/patchday" "$tmp/bin/patchday"

# offered WORD...: what patchday says of a line, the last word under the cursor
offered()
{
	patchday complete -- "$@" | cut -f1 | sort | paste -sd" "
}

is "commands" "$(offered re)" "rehearse report resume"
like "with their help" "$(patchday complete -- dri)" '^drill	[a-z]+ '
is "verbs" "$(offered workflow '')" "check new record test"
is "options" "$(offered plan --c)" "--catalog --check"
is "options of plugins" "$(offered plugins --ma) $(offered plugins host --lu)" "--man --markdown --lua"
is "common options" "$(offered facts --j)" "--json"
is "roles" "$(offered run f)" "file-print"
is "parameters of the workflow on the line" "$(offered run --plugin-dir "$tmp/all" file-print --param sh)" "share="
is "of one that can't be read there are none" "$(offered run nothing --param sh)" ""
is "formats" "$(offered report --format '')" "csv html text xml"
is "and inside of one word" "$(offered report --format=h)" "--format=html"
is "ids of errors" "$(offered explain usag)" "usage"
is "version schemes" "$(offered catalog vercmp rp)" "rpm"
empty "nothing where a file belongs" "$(offered plan --catalog '')"
empty "nor behind a command that there is not" "$(offered nonsense '')"

# of a run: who has to sign, its steps, its guards
workflow done <<END
pd.stage "one" { steps.noop {} }, pd.signoff { parties = { "operations", "application owner" } },
END
guards="steps.gate { path = \"$f/gate\", id = \"front\" }, steps.gate { path = \"$f/gate\" },"
workflow gated <<END
pd.stage "one" { steps.write { path = "$f/a" } }, pd.stage "two" { steps.noop {} },
END
empty "no run has no parties" "$(offered signoff --party '')"
pd run "$tmp/done.lua"
done=$("${patchday[@]}" status --json | jq -r .run)
is "parties of the newest run" "$(offered signoff --party '')" "application owner operations"
pd signoff --party operations --name Ann
is "that have not signed" "$(offered signoff --party=)" "--party=application owner"
echo shut >"$f/gate"
pd run --no-wait "$tmp/gated.lua"
empty "the newest one has none" "$(offered signoff --party '')"
is "the one on the line has" "$(offered signoff "$done" --party a)" "application owner"
is "steps of a run" "$(offered resume --skip '') $(offered resume --redo t)" "one/steps.write two/steps.noop two/steps.noop"
like "with how they stand" "$(patchday complete -- resume --skip one)" '^one/steps.write	pending$'
is "guards of a run" "$(offered resume "${places[@]}" --emergency '')" "front gate"
is "behind others" "$(offered resume "${places[@]}" --emergency front,g)" "front,gate"
is "guards of a workflow" "$(offered run "${places[@]}" "$tmp/gated.lua" --emergency f) $(offered run "${places[@]}" "$tmp/gated.lua" --emergency=)" \
	"front --emergency=front --emergency=gate"

# in_bash WORD...: what bash makes of it, which has = : and @ as words of their own
in_bash()
{
	bash -c '
		. "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$*
		for c in = : @; do COMP_LINE=${COMP_LINE// $c/$c} COMP_LINE=${COMP_LINE//$c /$c}; done
		compopt() { :; }
		_patchday && printf "%s\n" "${COMPREPLY[@]}"' bash "$PD_SRCDIR/completions/patchday" patchday "$@" | sort | paste -sd" "
}
is "bash: commands" "$(in_bash re)" "rehearse report resume"
is "bash: a value behind =" "$(in_bash report --format = h)" "html"
is "bash: a value that is not begun" "$(in_bash report --format =)" "csv html text xml"
is "bash: a value with blanks" "$(in_bash signoff "$done" --party a)" 'application\ owner'
is "bash: one that is begun so" "$(in_bash signoff "$done" --party 'application\ o')" 'application\ owner'
is "bash: or in quotes" "$(in_bash signoff "$done" --party '"app')" 'application owner'
# values of parameters: those of a choice; else files, which the shell knows
cat >"$tmp/chooses.lua" <<'END'
local pd = require "patchday"
return pd.workflow { api = 1, name = "chooses", params = {
	mode = pd.choice { choices = { "fast", "safe", "slow" }, default = "safe", help = "how" },
	kernel = pd.bool { default = false }, to = pd.path { default = "/x" } },
	plan = function() return pd.nothing "x" end }
END
echo 1 >"$tmp/first facts"
cd "$tmp" || exit 99
is "values of a choice" "$(offered run chooses.lua --param mode=s) $(offered run chooses.lua --param=mode=f)" "mode=safe mode=slow --param=mode=fast"
like "with the default" "$(patchday complete -- run chooses.lua --param mode=sa)" '^mode=safe	default$'
is "of a switch" "$(offered run chooses.lua --param kernel=)" "kernel=false kernel=true"
empty "of a path there are none" "$(offered run chooses.lua --param to=)"
is "bash: a value of a choice" "$(in_bash run chooses.lua --param mode = s)" "safe slow"
is "bash: of a switch, not begun" "$(in_bash run chooses.lua --param kernel =)" "false true"
is "bash: in one word" "$(in_bash run chooses.lua --param = mode = f)" "fast"
is "bash: names in one word" "$(in_bash run chooses.lua --param = mo)" "mode="
empty "bash: no role is a value" "$(in_bash run chooses.lua --param to = d)$(in_bash run chooses.lua --param to =)"
is "bash: a value in quotes" "$(in_bash run chooses.lua --param mode = '"sa')" "safe"
is "words of a list, each once" "$(offered drill --kinds=) $(offered drill --kinds kill,p)" \
	"--kinds=enospc --kinds=kill --kinds=power --kinds=torn kill,power"
empty "none twice" "$(offered drill --kinds kill,k)"
is "words of an option" "$(offered catalog show --severity i) $(offered catalog verify --trust x)" "important xmldsig"
empty "a name that one gives oneself is none of a plugin" "$(offered signoff --name '')$(offered workflow new '')$(offered scan --why '')"
is "help" "$(offered he) $(offered help pla) $(offered help run f) $(offered --)" "help plan file-print --help --version"
empty "nothing behind help of what is no command" "$(offered help nonsense '')$(offered help help '')"
is "operands behind --" "$(offered run -- file-)" "file-print"
if command -v fish >/dev/null; then
	# in_fish LINE: what is offered behind "patchday"
	in_fish()
	{
		HOME=$tmp fish -c "source $PD_SRCDIR/completions/patchday.fish; complete -C 'patchday $1'" | cut -f1 | sort | paste -sd" "
	}
	is "fish: a file behind =" "$(in_fish 'plan --facts=fi') $(in_fish 'plan chooses.lua --param to=fi')" "--facts=first facts to=first facts"
	is "fish: a value of a choice" "$(in_fish 'plan chooses.lua --param mode=f')" "mode=fast"
	is "fish: commands" "$(HOME=$tmp fish -c "source $PD_SRCDIR/completions/patchday.fish; complete -C 'patchday re'" |
		cut -f1 | sort | xargs)" "rehearse report resume"
	is "fish: options" "$(HOME=$tmp fish -c "source $PD_SRCDIR/completions/patchday.fish; complete -C 'patchday plan --c'" |
		cut -f1 | sort | xargs)" "--catalog --check"
else
	echo "# skip fish: it is not installed"
fi
if command -v zsh >/dev/null; then
	is "zsh: commands, with their help" "$(zsh -fc '
		_describe() { print -l -- "${(@P)2}"; }
		_files() { print files; }
		words=(patchday dri) CURRENT=2
		. "$1"' zsh "$PD_SRCDIR/completions/_patchday" | cut -d: -f1)" drill
	# in_zsh WORD...: how they are offered: the list, its rows, what compadd gets
	in_zsh()
	{
		zsh -fc '
			_describe() { print -l -- "$2 ${(@P)2} ${3-}"; }
			script=$1
			shift
			words=(patchday "$@") CURRENT=$(($# + 1))
			. "$script"' zsh "$PD_SRCDIR/completions/_patchday" "$@" | sed 's/ *$//' | paste -sd,
	}
	is "zsh: no blank behind a parameter" "$(in_zsh run --plugin-dir "$tmp/all" file-print --param sh)" "begun share=:share of the client test -S"
	is "zsh: nothing behind what has no help" "$(in_zsh report --format=h)" "rows --format=html"
	is "zsh: values of a choice" "$(in_zsh run chooses.lua --param=mode=f)" "rows --param=mode=fast"
	is "zsh: a file behind =" "$(zsh -fc '
		compset() { print -r -- "$@"; }
		_files() { print files; }
		words=(patchday plan --facts=fi) CURRENT=3
		. "$1"' zsh "$PD_SRCDIR/completions/_patchday" | paste -sd" ")" "-P *= files"
	is "zsh: files where nothing is offered" "$(zsh -fc '
		compset() { :; }
		_files() { print files; }
		words=(patchday plan --catalog "") CURRENT=4
		. "$1"' zsh "$PD_SRCDIR/completions/_patchday")" files
else
	echo "# skip zsh: it is not installed"
fi
end
