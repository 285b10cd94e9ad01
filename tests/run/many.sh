#!/bin/bash
# SPDX-License-Identifier: MIT
# A plan of many steps: each is done once, in its order, by a worker that some
# other process forks; and the certificate that a run writes from what it has in
# memory is the one that its journal gives.
. "${PD_SRCDIR:?}/tests/run/run.sh" || exit 99
f=$tmp/f
steps=60

# certificate WHAT: what the newest run has left is what its journal says
certificate()
{
	local newest

	newest=$(find "$PATCHDAY_STATE/certificates" -name '*.xml' -printf '%T@ %p\n' | sort -g | tail -1 | cut -d' ' -f2-)
	pd report --format xml
	is "the certificate of $1 is as the journal says" "$(cat "$newest")" "$out"
}

# many LAST: so many steps that write a file each, and LAST
many()
{
	cat >"$tmp/many.lua" <<-END
		local pd = require "patchday"
		local steps = pd.use "steps"
		return pd.workflow { api = 1, name = "many", role = "test", help = "many steps",
		  plan = function(t)
		    local list = {}
		    for i = 1, $steps do list[i] = steps.write { path = "$f/" .. i, text = "step " .. i } end
		    list[#list + 1] = $1
		    return pd.stage "all" (list)
		  end }
	END
}

many "steps.write { path = '$f/last', fail = 'refuse' }"
pd run "$tmp/many.lua"
is "a reason against the last of many refuses the run" "$rc $(state)" "4 refused"
is "and nothing was done" "$(find "$f" -type f | wc -l)" 0
certificate "a refused run"

many "steps.write { path = '$f/last', fail = 'apply' }"
pd run --events "$tmp/many.lua"
is "a run of many steps stops at the last" "$rc $(state)" "5 stopped"
is "each was done once, in its order" \
	"$(jq -r 'select(.kind == "done").step' <<<"$out")" \
	"$("${patchday[@]}" status --json | jq -r '.steps[:-1][].id')"
is "with what it was given" "$(for i in $(seq $steps); do cat "$f/$i"; echo; done)" \
	"$(seq -f 'step %g' $steps)"
is "a run that is neither done nor rolled back has no certificate" \
	"$(grep -l "$(pd status --json; jq -r .run <<<"$out")" "$PATCHDAY_STATE"/certificates/*.xml)" ""
pd resume
is "a resume tries the last again" "$rc $(state)" "5 stopped"
is "and no other" "$(for i in $(seq $steps); do acts "$f/$i" apply; done | sort -u)" 1
pd report --to "$tmp/so-far"
pd report --format xml
is "what it has done so far is written when somebody asks" "$(cat "$tmp"/so-far/*.xml)" "$out"
pd undo
is "all of them are taken back" "$rc $(state) $(find "$f" -name '[0-9]*' ! -name '*.log' | wc -l)" \
	"1 rolled back 0"
certificate "a run that is taken back"
end
