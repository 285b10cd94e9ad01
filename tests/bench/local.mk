# Figures as ratios to a peer measured in the same run: `make bench`.
EXTRA_DIST += %reldir%/bench.sh
bench: all check-build
	PD_BUILDDIR='$(abs_top_builddir)' PD_SRCDIR='$(abs_top_srcdir)' $(srcdir)/%reldir%/bench.sh
.PHONY: bench
