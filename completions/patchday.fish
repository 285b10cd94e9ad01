# SPDX-License-Identifier: MIT
# Completion of patchday for fish: patchday itself knows what there is.
function __patchday_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l rows ($words[1] complete -- $words[2..-1] 2>/dev/null)
	if set -q rows[1]
		printf '%s\n' $rows
	else
		# the file in --name=FILE, or in the value of a parameter
		set -l word (commandline -ct)
		set -l before (string match -r '^.*=' -- $word)
		for path in (__fish_complete_path (string replace -r '^.*=' '' -- $word))
			printf '%s\n' "$before$path"
		end
	end
end
complete -c patchday -f -a '(__patchday_complete)'
