# SPDX-License-Identifier: MIT
# What shells offer behind "patchday".
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_bashcompletion_DATA = %reldir%/patchday
dist_zshcompletion_DATA = %reldir%/_patchday
dist_fishcompletion_DATA = %reldir%/patchday.fish
