# SPDX-License-Identifier: MIT
# The corpora run as an ordinary test, of each reader that has one; `make fuzz
# READER=native` searches on, with clang; see README.md here.
check_PROGRAMS += %reldir%/fuzz_reader
TESTS += %reldir%/fuzz_reader
%canon_reldir%_fuzz_reader_SOURCES = %reldir%/fuzz_reader.c
%canon_reldir%_fuzz_reader_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_fuzz_reader_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_fuzz_reader_LDADD = core/libcore.la
EXTRA_DIST += %reldir%/README.md %reldir%/corpus
READER = native
FUZZ_SECONDS = 60
FUZZ_LIBS =
FUZZ_INPUTS =
CLEANFILES += fuzz-reader
fuzz:
	clang -g -O1 -std=c11 -D_GNU_SOURCE -DPD_LIBFUZZER='"$(READER)"' -fsanitize=fuzzer,address,undefined \
		$(AM_CPPFLAGS) $(XML_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) \
		-o fuzz-reader $(top_srcdir)/tests/fuzz/fuzz_reader.c \
		$(top_srcdir)/plugins/$(basename $(READER))/*.c $(top_srcdir)/plugins/shared/tree.c $(top_srcdir)/core/base/*.c \
		$(top_srcdir)/core/xml/*.c $(top_srcdir)/core/plugin/*.c $(top_srcdir)/core/facts/*.c \
		$(top_srcdir)/core/catalog/*.c \
		$(LTDL_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) $(FUZZ_LIBS)
	mkdir -p fuzz-found/$(READER)
	./fuzz-reader -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 \
		fuzz-found/$(READER) $(top_srcdir)/tests/fuzz/corpus/$(READER) $(FUZZ_INPUTS)
.PHONY: fuzz
