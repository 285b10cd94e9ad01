# The corpora run as ordinary tests; `make fuzz` searches on, with clang, for
# FUZZ_SECONDS, and leaves what it finds in the folder of the build.
check_PROGRAMS += %reldir%/fuzz_native
TESTS += %reldir%/fuzz_native
%canon_reldir%_fuzz_native_SOURCES = %reldir%/fuzz_native.c \
	plugins/native/native.c plugins/native/native.h plugins/native/elements.c
%canon_reldir%_fuzz_native_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%canon_reldir%_fuzz_native_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_fuzz_native_LDADD = core/libcore.la
EXTRA_DIST += %reldir%/corpus/native
FUZZ_SECONDS = 60
CLEANFILES += fuzz-native
fuzz:
	clang -g -O1 -std=c11 -D_GNU_SOURCE -DPD_LIBFUZZER -fsanitize=fuzzer,address,undefined \
		$(AM_CPPFLAGS) $(XML_CFLAGS) $(JANSSON_CFLAGS) $(SODIUM_CFLAGS) \
		-o fuzz-native $(top_srcdir)/tests/fuzz/fuzz_native.c \
		$(top_srcdir)/plugins/native/*.c $(top_srcdir)/core/base/*.c $(top_srcdir)/core/xml/*.c \
		$(top_srcdir)/core/plugin/*.c $(top_srcdir)/core/facts/*.c \
		$(top_srcdir)/core/catalog/*.c \
		$(LTDL_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
	mkdir -p fuzz-found
	./fuzz-native -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 fuzz-found \
		$(top_srcdir)/tests/fuzz/corpus/native $(top_srcdir)/tests/data/catalogs/good \
		$(top_srcdir)/tests/data/catalogs/bad $(top_srcdir)/catalogs/examples
.PHONY: fuzz
