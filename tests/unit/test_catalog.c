/* SPDX-License-Identifier: MIT */
/* The update model and its verdicts: a table of cases, rules in three values,
 * supersedence, bundles, and how long a thousand updates take. */
#include <time.h>
#include <unistd.h>

#include "catalog/model.h"
#include "unit.h"

#define HEAD "<catalog xmlns='urn:patchday:catalog:1'>"
#define UPDATE(id, more) "<update id='" id "' kind='security'><title>t</title>" more "</update>"
#define PACKAGE(n, v, more) "<package name='" n "' version='" v "' " more "/>"

struct server {
	struct pd_catalogs list;
	struct pd_facts facts;
	struct pd_verdicts verdicts;
};

static const char facts_text[] =
	"{\"os\":{\"id\":\"debian\",\"version_id\":\"12\",\"family\":\"debian\"},"
	"\"disks\":[{\"mount\":\"/\",\"readonly\":false,\"free_bytes\":5000},"
	"{\"mount\":\"/srv\",\"readonly\":true}],\"devices\":[],\"x-rack\":[{\"row\":7},"
	"{\"name\":\"left\",\"row\":8}],"
	"\"packages\":["
	"{\"name\":\"old\",\"version\":\"1.0-1\",\"arch\":\"amd64\",\"scheme\":\"deb\"},"
	"{\"name\":\"new\",\"version\":\"9.0-1\",\"arch\":\"amd64\",\"scheme\":\"deb\"},"
	"{\"name\":\"any\",\"version\":\"1.0\",\"arch\":\"all\",\"scheme\":\"deb\"},"
	"{\"name\":\"held\",\"version\":\"1.0\",\"arch\":\"amd64\",\"scheme\":\"deb\",\"held\":true},"
	"{\"name\":\"both\",\"version\":\"1.0\",\"arch\":\"amd64\",\"scheme\":\"deb\"},"
	"{\"name\":\"both\",\"version\":\"2.0\",\"arch\":\"i386\",\"scheme\":\"deb\"},"
	"{\"name\":\"kernel\",\"version\":\"5.1-1\",\"arch\":\"x86_64\",\"scheme\":\"rpm\"},"
	"{\"name\":\"kernel\",\"version\":\"5.3-1\",\"arch\":\"x86_64\",\"scheme\":\"rpm\"},"
	"{\"name\":\"lib\",\"version\":\"1.0-1\",\"arch\":\"i686\",\"scheme\":\"rpm\"},"
	"{\"name\":\"gone\",\"version\":\"1.0\",\"arch\":\"amd64\",\"scheme\":\"deb\","
	"\"status\":\"config-files\"}]}";

static void load(struct server *s, const char *catalog)
{
	char path[] = "/tmp/patchday-test-XXXXXX";
	int fd = mkstemp(path);
	pd_auto(pd_registry) *reg = pd_registry_new();
	pd_auto_error *err = NULL;
	struct pd_catalog *c;

	*s = (struct server){ .list = { .len = 0 } };
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT(pd_file_write(path, 0600, facts_text, strlen(facts_text), NULL));
	CU_ASSERT_FATAL(pd_facts_read(path, &s->facts, NULL));
	CU_ASSERT(pd_file_write(path, 0600, catalog, strlen(catalog), NULL));
	CU_ASSERT_FATAL(pd_registry_add_folder(reg, PD_TEST_NATIVE, &err));
	c = pd_catalog_read(reg, path, NULL, &err);
	if (!c)
		printf("\n  %s\n", err->message);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	pd_grow(s->list.items, s->list.len, s->list.cap);
	s->list.items[s->list.len++] = c;
	CU_ASSERT_FATAL(pd_catalogs_judge(&s->list, &s->facts, &s->verdicts, NULL));
	CU_ASSERT_EQUAL(s->verdicts.len, c->len);
	unlink(path);
	close(fd);
}

static void unload(struct server *s)
{
	pd_verdicts_clear(&s->verdicts);
	pd_catalogs_clear(&s->list);
	pd_facts_clear(&s->facts);
}

struct expected {
	const char *id, *parts, *verdict, *reason; /* reason NULL: any */
	uint32_t needed;
};

static void expect(const struct server *s, const struct expected *e)
{
	int64_t i = pd_catalog_find(s->list.items[0], e->id);
	const struct pd_verdict_row *row;

	CU_ASSERT_FATAL(i >= 0);
	row = &s->verdicts.rows[i];
	if (strcmp(pd_verdict_name(row->verdict), e->verdict) != 0 ||
	    (e->reason && strcmp(row->reason, e->reason) != 0) || row->n_needed != e->needed)
		printf("\n  %s is %s (%s), %u\n", e->id, pd_verdict_name(row->verdict),
		       row->reason, row->n_needed);
	CU_ASSERT_STRING_EQUAL(pd_verdict_name(row->verdict), e->verdict);
	CU_ASSERT(!e->reason || strcmp(row->reason, e->reason) == 0);
	CU_ASSERT_EQUAL(row->n_needed, e->needed);
}

static void table(const struct expected *cases, size_t n)
{
	struct pd_buffer text = {0};
	struct server s;

	pd_buffer_text(&text, HEAD);
	for (size_t i = 0; i < n; i++)
		pd_buffer_text(&text, cases[i].parts);
	pd_buffer_text(&text, "</catalog>");
	load(&s, text.data);
	for (size_t i = 0; i < n; i++)
		if (cases[i].verdict) /* it is an update, and no rules alone */
			expect(&s, &cases[i]);
	unload(&s);
	pd_buffer_clear(&text);
}
#define TABLE(cases) table(cases, sizeof(cases) / sizeof(*(cases)))
#define CASE(id, more, verdict, reason, n) { id, UPDATE(id, more), verdict, reason, n }

static void judges_packages(void)
{
	static const struct expected cases[] = {
		CASE("older", PACKAGE("old", "1.0-2", "scheme='deb' arch='amd64'"), "needed",
		     "old 1.0-1 is installed, 1.0-2 is offered", 1),
		CASE("same", PACKAGE("old", "1.0-1", "scheme='deb'"), "installed",
		     "old 1.0-1 is installed", 0),
		CASE("newer", PACKAGE("new", "2.0-1", "scheme='deb'"), "installed", NULL, 0),
		CASE("absent", PACKAGE("zoo", "1", "scheme='deb'"), "not-applicable",
		     "zoo is not installed", 0),
		CASE("removed", PACKAGE("gone", "2", "scheme='deb'"), "not-applicable", NULL, 0),
		CASE("two", PACKAGE("old", "2", "scheme='deb'") PACKAGE("any", "2", "scheme='deb'")
		     PACKAGE("new", "1", "scheme='deb'"), "needed",
		     "old 1.0-1 is installed, 2 is offered, and 1 more", 2),
		CASE("held", PACKAGE("held", "2", "scheme='deb'"), "not-applicable",
		     "held is held back at 1.0; the administrator decides; see "
		     "`apt-mark showhold`", 0),
		CASE("half-held", PACKAGE("held", "2", "scheme='deb'")
		     PACKAGE("old", "2", "scheme='deb'"), "needed",
		     "old 1.0-1 is installed, 2 is offered; held is held back at 1.0", 1),
		CASE("other-arch", PACKAGE("old", "2", "scheme='deb' arch='arm64'"),
		     "not-applicable", NULL, 0),
		CASE("arch-all", PACKAGE("old", "2", "scheme='deb' arch='all'"), "needed", NULL, 1),
		CASE("arch-of-all", PACKAGE("any", "2", "scheme='deb' arch='amd64'"), "needed",
		     NULL, 1),
		CASE("two-archs", PACKAGE("both", "2.0", "scheme='deb' arch='amd64'")
		     PACKAGE("both", "2.0", "scheme='deb' arch='i386'"), "needed",
		     "both 1.0 is installed, 2.0 is offered", 1),
		CASE("one-arch", PACKAGE("both", "2.0", "scheme='deb' arch='i386'"), "installed",
		     NULL, 0),
		CASE("kernel", PACKAGE("kernel", "5.2", "release='1' scheme='rpm'"), "installed",
		     "kernel 5.3-1 is installed", 0),
		CASE("kernel-new", PACKAGE("kernel", "5.4", "release='1' scheme='rpm'"), "needed",
		     "kernel 5.3-1 is installed, 5.4-1 is offered", 1),
		CASE("epoch", PACKAGE("new", "1.0", "epoch='1' scheme='deb'"), "needed", NULL, 1),
		CASE("no-epoch", PACKAGE("new", "9.0-1", "epoch='0' scheme='deb'"), "installed",
		     NULL, 0),
		CASE("ix86", PACKAGE("lib", "1.1", "release='1' arch='i586' scheme='rpm'"),
		     "needed", NULL, 1),
		CASE("noarch", PACKAGE("lib", "1.1", "release='1' arch='noarch' scheme='rpm'"),
		     "needed", NULL, 1),
		CASE("other-scheme", PACKAGE("old", "2", "scheme='rpm'"), "not-applicable", NULL, 0),
		CASE("module", PACKAGE("lib", "2", "scheme='rpm' module='lib:1'"), "unknown",
		     "it is not known whether the module lib:1 of lib is enabled", 0),
		CASE("alpine", PACKAGE("lib", "2 3", "scheme='rpm'"), "unknown", NULL, 0),
		CASE("nothing", "", "unknown", "it does not say to which servers it applies", 0),
		{ "retired", "<update id='retired' kind='security' status='retired'>"
		  "<title>t</title>" PACKAGE("old", "2", "scheme='deb'") "</update>",
		  "not-applicable", "it was withdrawn", 0 },
	};

	TABLE(cases);
}

#define APPLIES(rules) "<applicable>" rules "</applicable>"
#define YES "<test kind='os' field='id' compare='eq' value='debian'/>"
#define NO "<test kind='os' field='id' compare='eq' value='rhel'/>"
#define OPEN "<test kind='hardware' field='vendor' compare='eq' value='x'/>"
#define NEW PACKAGE("fresh", "1", "scheme='deb'")
/* With a tree that says "not installed", the verdict shows the other one. */
#define RULE(id, rules, verdict) \
	CASE(id, APPLIES(rules) "<installed>" NO "</installed>", verdict, NULL, 0)

/* Packages of another name. */
static void judges_replaced(void)
{
#define MOVED(id, what, ...) \
	CASE(id, PACKAGE("zoo", "9", "scheme='deb' arch='amd64' replaces='" what "'"), __VA_ARGS__)
	static const struct expected cases[] = {
		MOVED("any", "none, old", "needed", "old 1.0-1 is installed, which zoo 9 replaces", 1),
		MOVED("below", "old &lt; 1.0-2", "needed", NULL, 1),
		MOVED("not below", "old &lt; 1.0-1", "not-applicable", "zoo is not installed", 0),
		MOVED("up to", "old &lt;= 1.0-1", "needed", NULL, 1),
		MOVED("without its release", "old &lt; 1.0", "not-applicable", NULL, 0),
		MOVED("equal without it", "old = 1.0,new &lt; 0", "needed", NULL, 1),
		MOVED("above", "old &gt;= 1.0-1", "needed", NULL, 1),
		MOVED("not above", "old &gt; 1.0-1", "not-applicable", NULL, 0),
		CASE("there", PACKAGE("new", "2.0-1", "scheme='deb' replaces='old'"), "installed", NULL, 0),
		CASE("another scheme", PACKAGE("zoo", "9", "scheme='rpm' replaces='old'"), "not-applicable",
		     NULL, 0),
	};

	TABLE(cases);
#undef MOVED
}

static void judges_rules(void)
{
	static const struct expected cases[] = {
		RULE("yes", YES, "needed"), RULE("no", NO, "not-applicable"),
		RULE("open", OPEN, "unknown"),
		RULE("all-1", "<all>" YES YES "</all>", "needed"),
		RULE("all-2", "<all>" YES OPEN "</all>", "unknown"),
		RULE("all-3", "<all>" OPEN NO "</all>", "not-applicable"),
		RULE("all-0", "<all/>", "needed"),
		RULE("any-1", "<any>" OPEN YES "</any>", "needed"),
		RULE("any-2", "<any>" OPEN NO "</any>", "unknown"),
		RULE("any-3", "<any>" NO NO "</any>", "not-applicable"),
		RULE("any-0", "<any/>", "not-applicable"),
		RULE("none-1", "<none>" NO NO "</none>", "needed"),
		RULE("none-2", "<none>" NO OPEN "</none>", "unknown"),
		RULE("none-3", "<none>" OPEN YES "</none>", "not-applicable"),
		RULE("nested", "<any><all>" YES "<none>" NO "</none></all>" OPEN "</any>",
		     "needed"),
		RULE("top", YES NO, "not-applicable"),
		RULE("not", "<test kind='os' field='id' compare='eq' value='rhel' not='true'/>",
		     "needed"),
		RULE("not-open", "<test kind='boot' field='id' compare='eq' value='1' "
		     "not='true'/>", "unknown"),
		RULE("version", "<test kind='os' field='version_id' compare='ge' value='9'/>",
		     "needed"),
		RULE("match", "<test kind='os' field='id' compare='match' value='^deb(ian)?$'/>",
		     "needed"),
		RULE("flag", "<test kind='disks' subject='/' field='readonly' compare='eq' "
		     "value='false'/>", "needed"),
		RULE("any-row", "<test kind='disks' field='readonly' compare='eq' "
		     "value='true'/>", "needed"),
		RULE("number", "<test kind='disks' subject='/' field='free_bytes' compare='lt' "
		     "value='10000'/>", "needed"),
		RULE("no-field", "<test kind='disks' subject='/srv' field='free_bytes' "
		     "compare='lt' value='1'/>", "unknown"),
		RULE("package", "<test kind='packages' subject='old' field='version' "
		     "compare='lt' value='1.0-2'/>", "needed"),
		RULE("package-2", "<test kind='packages' subject='old' field='version' "
		     "compare='lt' value='1.0~'/>", "not-applicable"),
		RULE("blank", "<test kind='packages' subject='old' field='version' compare='lt' "
		     "value='1.0 only' scheme='deb'/>", "needed"),
		RULE("no-version", "<test kind='packages' subject='old' field='version' "
		     "compare='lt' value='' scheme='deb'/>", "unknown"),
		RULE("exists", "<test kind='packages' subject='old'/>", "needed"),
		RULE("exists-not", "<test kind='packages' subject='zoo'/>", "not-applicable"),
		RULE("absent", "<test kind='packages' subject='zoo' field='version' "
		     "compare='lt' value='1'/>", "unknown"),
		RULE("looked-none", "<test kind='devices'/>", "not-applicable"),
		RULE("not-looked", "<test kind='printers'/>", "unknown"),
		RULE("own", "<test kind='x-rack' field='row' compare='eq' value='7'/>", "needed"),
		RULE("own-row", "<test kind='x-rack' subject='left' field='row' compare='eq' value='8'/>",
		     "needed"),
		RULE("own-other", "<test kind='x-rack' subject='left' field='row' compare='eq' value='7'/>",
		     "not-applicable"),
		RULE("own-exists", "<test kind='x-rack' subject='left'/>", "needed"),
		RULE("own-exists-not", "<test kind='x-rack' subject='right'/>", "not-applicable"),
		RULE("own-group", "<any kind='x-rack' subject='right'><all/></any>", "not-applicable"),
		RULE("any-release", "<test kind='packages' subject='lib' field='version' compare='eq' value='1.0'/>",
		     "needed"),
		RULE("a-release", "<test kind='packages' subject='lib' field='version' compare='eq' value='1.0-2'/>",
		     "not-applicable"),
		RULE("call", "<call update='yes'/>", "needed"),
		RULE("call-not", "<call update='yes' not='true'/>", "not-applicable"),
		RULE("call-self", "<call update='call-self'/>", "unknown"),
		RULE("call-lost", "<call update='nowhere'/>", "unknown"),
	};

	TABLE(cases);
}

static void judges_rules_and_packages(void)
{
	static const struct expected cases[] = {
		CASE("there", "<installed>" YES "</installed>", "installed", NULL, 0),
		CASE("driver", APPLIES(YES) NEW "<installed>" NO "</installed>", "needed",
		     "its rules fit this server", 1),
		CASE("no-installed", APPLIES(YES), "unknown",
		     "it does not say how to see that it is installed", 0),
		CASE("with-packages", APPLIES(YES) PACKAGE("old", "2", "scheme='deb'"), "needed",
		     "its rules fit this server; old 1.0-1 is installed, 2 is offered", 1),
		CASE("with-held", APPLIES(YES) PACKAGE("held", "2", "scheme='deb'"),
		     "not-applicable", NULL, 0),
		CASE("excluded", APPLIES(NO) PACKAGE("old", "2", "scheme='deb'"),
		     "not-applicable", "its rules exclude this server", 0),
		/* another platform's, which has a package of the same name: it replaces nothing */
		CASE("elsewhere", "<supersedes id='with-packages'/>" APPLIES(NO) PACKAGE("old", "1.0-1", "scheme='deb'"),
		     "not-applicable", "its rules exclude this server", 0),
		CASE("perhaps", APPLIES(OPEN) PACKAGE("old", "1.0-1", "scheme='deb'"), "installed",
		     "old 1.0-1 is installed", 0),
		CASE("no-more", APPLIES(NO) "<installed>" YES "</installed>", "installed",
		     "its rules find it installed", 0),
	};

	TABLE(cases);
}

#define ROW(group, name, more) \
	"<" group " kind='packages' subject='" name "'>" more "</" group ">"
#define OF(field, value) \
	"<test kind='packages' field='" field "' compare='eq' value='" value "'/>"
#define SHARED(id, rules) { id, "<update id='" id "' kind='other' status='rules'><title>t</title>" \
	APPLIES(rules) "</update>", NULL, NULL, 0 }

/* "both" is there as 1.0 amd64 and as 2.0 i386. */
static void judges_rows(void)
{
	static const struct expected cases[] = {
		RULE("crossed", "<test kind='packages' subject='both' field='version' compare='eq' "
		     "value='1.0'/><test kind='packages' subject='both' field='arch' compare='eq' "
		     "value='i386'/>", "needed"),
		RULE("row-1", ROW("any", "both", OF("version", "1.0") OF("arch", "amd64")), "needed"),
		RULE("row-2", ROW("any", "both", OF("version", "1.0") OF("arch", "i386")),
		     "not-applicable"),
		RULE("row-exists", ROW("any", "both", ""), "needed"),
		RULE("row-absent", ROW("any", "zoo", OF("arch", "i386")), "not-applicable"),
		RULE("row-removed", ROW("any", "gone", ""), "not-applicable"),
		RULE("row-all", ROW("all", "both", OF("arch", "i386")), "not-applicable"),
		RULE("row-all-0", ROW("all", "zoo", OF("arch", "i386")), "needed"),
		RULE("row-none", ROW("none", "both", OF("arch", "s390x")), "needed"),
		RULE("row-one", ROW("one", "both", OF("arch", "i386")), "needed"),
		RULE("row-one-of-two", ROW("one", "both", ""), "not-applicable"),
		RULE("row-not", "<any kind='packages' subject='both' not='true'/>", "not-applicable"),
		RULE("row-groups", ROW("any", "both", "<none>" OF("arch", "amd64") "<all>"
		     OF("version", "3") "</all></none>"), "needed"),
		RULE("row-other", ROW("any", "both", YES OF("arch", "i386")), "needed"),
		RULE("row-any", "<any kind='packages'>" OF("name", "old") OF("version", "1.0-1") "</any>",
		     "needed"),
		RULE("row-open", ROW("any", "both", OF("source", "x")), "unknown"),
		RULE("row-kind", "<any kind='printers'/>", "unknown"),
		RULE("row-after", ROW("any", "both", "") NO, "not-applicable"),
		RULE("row-in-row", ROW("any", "both", ROW("any", "old", "")), "unknown"),
		RULE("row-in-empty", ROW("any", "zoo", ROW("any", "old", "")) YES, "not-applicable"),
		RULE("row-single", "<any kind='os'><test kind='os' field='id' compare='eq' "
		     "value='debian'/></any>", "needed"),
		RULE("one-1", "<one>" NO YES "</one>", "needed"),
		RULE("one-2", "<one>" YES YES OPEN "</one>", "not-applicable"),
		RULE("one-3", "<one>" YES OPEN "</one>", "unknown"),
		RULE("one-0", "<one>" NO "</one>", "not-applicable"),
		RULE("odd-3", "<odd>" YES YES YES "</odd>", "needed"),
		RULE("odd-2", "<odd>" YES YES NO "</odd>", "not-applicable"),
		RULE("odd-open", "<odd>" YES OPEN "</odd>", "unknown"),
		RULE("not-group", "<all not='true'>" NO "</all>", "needed"),
		CASE("why", APPLIES("<unknown why='nobody looked'/>") "<installed>" NO "</installed>",
		     "unknown", "nobody looked", 0),
	};

	TABLE(cases);
}

#define ASK(compare, value) "<test kind='packages' subject='old' field='version' compare='" compare \
	"' value='" value "'/>"
#define WHY(id, rules, verdict, reason) \
	CASE(id, APPLIES(rules) "<installed>" NO "</installed>", verdict, reason, 0)
#define GONE "<test kind='packages' subject='gone'/>"
#define FIT "its rules fit this server"
#define OUT "its rules exclude this server"
#define IS ": old 1.0-1 is installed"

/* The comparison that decided is told, and none that did not. */
static void tells_why(void)
{
	static const struct expected cases[] = {
		WHY("lt", ASK("lt", "2"), "needed", FIT IS ", older than 2"),
		WHY("le", ASK("le", "2"), "needed", FIT IS ", not newer than 2"),
		WHY("gt", ASK("gt", "0"), "needed", FIT IS ", newer than 0"),
		WHY("ge", ASK("ge", "0"), "needed", FIT IS ", not older than 0"),
		WHY("no-lt", ASK("lt", "1"), "not-applicable", OUT IS ", not older than 1"),
		WHY("no-le", ASK("le", "0"), "not-applicable", OUT IS ", newer than 0"),
		WHY("no-gt", ASK("gt", "2"), "not-applicable", OUT IS ", not newer than 2"),
		WHY("no-ge", ASK("ge", "2"), "not-applicable", OUT IS ", older than 2"),
		WHY("eq", ASK("eq", "1.0-1"), "needed", FIT IS), WHY("no-eq", ASK("eq", "2"), "not-applicable", OUT),
		WHY("row", ROW("any", "old", "<test kind='packages' field='version' compare='lt' value='2'/>"),
		    "needed", FIT IS ", older than 2"),
		WHY("twice", "<none><none>" ASK("lt", "2") "</none></none>", "needed", FIT IS ", older than 2"),
		WHY("turned", "<all not='true'>" ASK("lt", "1") "</all>", "needed", FIT IS ", not older than 1"),
		WHY("or", "<any>" ASK("lt", "1") ASK("lt", "2") "</any>", "needed", FIT IS ", older than 2"),
		WHY("or-else", "<any>" ASK("lt", "1") YES "</any>", "needed", FIT),
		WHY("and", "<all>" YES ASK("lt", "2") "</all>", "needed", FIT IS ", older than 2"),
		WHY("and-not", "<all>" ASK("lt", "2") NO "</all>", "not-applicable", OUT),
		WHY("one", "<one>" ASK("lt", "1") ASK("lt", "2") "</one>", "needed", FIT IS ", older than 2"),
		WHY("odd", "<odd>" ASK("lt", "2") "</odd>", "needed", FIT),
		WHY("there", ROW("any", "old", ""), "needed", FIT IS),
		WHY("absent", ROW("any", "no", ""), "not-applicable", "no is not installed"),
		WHY("absent-too", "<any>" ROW("any", "no", "") GONE ROW("any", "none", YES) "</any>", "not-applicable",
		    "none of its 3 packages is installed"),
		WHY("absent-or", "<any>" GONE NO "</any>", "not-applicable", OUT),
		WHY("absent-and", "<all>" YES GONE "</all>", "not-applicable", "gone is not installed"),
		WHY("absent-or-not", "<any>" GONE ASK("lt", "1") "</any>", "not-applicable", OUT IS ", not older than 1"),
		WHY("none", "<none>" GONE "</none>", "needed", FIT ": gone is not installed"),
		WHY("there-too", "<test kind='packages' subject='old'/>" ASK("lt", "2"), "needed", FIT IS ", older than 2"),
		WHY("system", "<test kind='os' field='version_id' compare='lt' value='99' scheme='plain'/>", "needed",
		    FIT ": os.version_id 12 is older than 99"),
		WHY("called", "<call update='shared'/>", "needed", FIT IS ", older than 2"),
		WHY("called-again", "<call update='shared'/>", "needed", FIT IS ", older than 2"),
		SHARED("shared", ASK("lt", "2")),
		CASE("found", "<installed>" ASK("ge", "1") "</installed>", "installed",
		     "its rules find it installed" IS ", not older than 1", 0),
		CASE("lacking", APPLIES(YES) "<installed>" ASK("ge", "2") "</installed>", "needed",
		     FIT IS ", older than 2", 0),
	};

	TABLE(cases);
}

static void calls_shared_rules(void)
{
	static const struct expected cases[] = {
		RULE("before", "<call update='yes'/>", "needed"),
		SHARED("yes", YES), SHARED("open", "<unknown why='nobody looked'/>"),
		SHARED("ring", "<call update='gnir'/>"), SHARED("gnir", "<call update='ring'/>"),
		SHARED("rows", ROW("any", "both", OF("arch", "i386"))),
		RULE("after", "<call update='yes'/><call update='yes'/>", "needed"),
		RULE("turned", "<call update='yes' not='true'/>", "not-applicable"),
		CASE("other-tree", "<installed><call update='yes'/></installed>", "installed", NULL, 0),
		CASE("open-1", APPLIES("<call update='open'/>") "<installed>" NO "</installed>",
		     "unknown", "nobody looked", 0),
		CASE("open-2", APPLIES("<call update='open'/>") "<installed>" NO "</installed>",
		     "unknown", "nobody looked", 0),
		RULE("round", "<call update='ring'/>", "unknown"),
		RULE("row-calls", ROW("any", "old", "<call update='rows'/>"), "needed"),
	};
	struct pd_buffer text = {0};
	struct server s;

	pd_buffer_text(&text, HEAD);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		pd_buffer_text(&text, cases[i].parts);
	pd_buffer_text(&text, "</catalog>");
	load(&s, text.data);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (cases[i].verdict)
			expect(&s, &cases[i]);
	CU_ASSERT_EQUAL(s.list.items[0]->n_shared, 5);
	CU_ASSERT_EQUAL(pd_catalog_find(s.list.items[0], "yes"), -1);
	unload(&s);
	pd_buffer_clear(&text);
}

/* More calls than any depth or count could bear, if they were not remembered. */
static void remembers_shared_rules(void)
{
	struct pd_buffer text = {0};
	struct server s;

	pd_buffer_text(&text, HEAD);
	for (int i = 0; i < 40; i++)
		pd_buffer_print(&text, "<update id='r%d' kind='other' status='rules'><title>t</title>"
				"<applicable><call update='r%d'/><call update='r%d'/></applicable>"
				"</update>", i, i + 1, i + 1);
	pd_buffer_print(&text, "<update id='r40' kind='other' status='rules'><title>t</title>"
			APPLIES(YES) "</update>" UPDATE("deep", APPLIES("<call update='r0'/>")
			"<installed>" NO "</installed>") "</catalog>");
	load(&s, text.data);
	expect(&s, &(struct expected){ "deep", NULL, "needed", NULL, 0 });
	unload(&s);
	pd_buffer_clear(&text);
}

#define OLD PACKAGE("old", "2", "scheme='deb'")
#define DATED(id, day, more) \
	"<update id='" id "' kind='security' issued='2026-01-" day "'><title>t</title>" \
	more "</update>"

static void judges_supersedence(void)
{
	static const struct expected cases[] = {
		CASE("A", "<supersedes id='B'/><supersedes id='GONE'/>" OLD, "needed", NULL, 1),
		CASE("B", "<supersedes id='C'/>" OLD, "superseded",
		     "replaced by A, which is needed", 0),
		CASE("C", OLD, "superseded", "replaced by A, which is needed", 0),
		/* one that does not apply replaces nothing */
		CASE("D", "<supersedes id='E'/>" PACKAGE("zoo", "1", "scheme='deb'"),
		     "not-applicable", NULL, 0),
		CASE("E", OLD, "needed", NULL, 1),
		/* but what replaces it goes on */
		CASE("F", "<supersedes id='G'/>" OLD, "needed", NULL, 1),
		CASE("G", "<supersedes id='H'/>" PACKAGE("zoo", "1", "scheme='deb'"),
		     "not-applicable", NULL, 0),
		CASE("H", OLD, "superseded", "replaced by F, which is needed", 0),
		/* of a cycle the newest stays */
		{ "R", DATED("R", "01", "<supersedes id='S'/>" OLD), "superseded", NULL, 0 },
		{ "S", DATED("S", "03", "<supersedes id='T'/>" OLD), "needed", NULL, 1 },
		{ "T", DATED("T", "02", "<supersedes id='R'/>" OLD), "superseded", NULL, 0 },
		CASE("U", "<supersedes id='U'/>" OLD, "needed", NULL, 1),
		/* an installed one replaces too; what is installed stays that */
		CASE("V", "<supersedes id='W'/><supersedes id='X'/>"
		     PACKAGE("new", "9.0-1", "scheme='deb'"), "installed", NULL, 0),
		CASE("W", OLD, "superseded", "replaced by V, which is installed", 0),
		CASE("X", PACKAGE("new", "8", "scheme='deb'"), "installed", NULL, 0),
		/* only that revision */
		CASE("Y", "<supersedes id='Z' revision='1'/>" OLD, "needed", NULL, 1),
		{ "Z", "<update id='Z' revision='2' kind='security'><title>t</title>" OLD
		  "</update>", "needed", NULL, 1 },
		/* what was withdrawn for another one, even if that is for others */
		CASE("AA", "<supersedes id='AB'/><supersedes id='Z' revision='2'/>"
		     PACKAGE("zoo", "1", "scheme='deb'"), "not-applicable", NULL, 0),
		{ "AB", "<update id='AB' status='retired' kind='security'><title>t</title>" OLD
		  "</update>", "superseded", "it was withdrawn, and replaced by AA", 0 },
		CASE("AC", "<supersedes id='AD'/>" PACKAGE("zoo", "1", "scheme='deb'"),
		     "not-applicable", NULL, 0),
		{ "AD", "<update id='AD' status='replaced' kind='security'><title>t</title>" OLD
		  "</update>", "superseded", "replaced by AC", 0 },
		/* what nobody supersedes is an update like others */
		{ "AE", "<update id='AE' status='replaced' kind='security'><title>t</title>" OLD
		  "</update>", "needed", NULL, 1 },
	};

	TABLE(cases);
}

static void judges_bundles(void)
{
	static const struct expected cases[] = {
		CASE("N", OLD, "needed", NULL, 1),
		CASE("I", PACKAGE("new", "8", "scheme='deb'"), "installed", NULL, 0),
		CASE("Z", PACKAGE("zoo", "8", "scheme='deb'"), "not-applicable", NULL, 0),
		CASE("b1", "<bundles id='I'/><bundles id='N'/>", "needed", "of its parts 1 are "
		     "needed, 1 installed, 0 not applicable, 0 unknown", 0),
		CASE("b2", "<bundles id='I'/><bundles id='Z'/>", "installed", NULL, 0),
		CASE("b3", "<bundles id='Z'/>", "not-applicable", NULL, 0),
		CASE("b4", "<bundles id='I'/><bundles id='LOST'/>", "unknown", NULL, 0),
		CASE("b5", "<bundles id='b2'/>", "installed", NULL, 0),
		CASE("b6", "<bundles id='b7'/>", "unknown", NULL, 0),
		CASE("b7", "<bundles id='b6'/>", "unknown", NULL, 0),
		/* its own rules say only where it applies */
		CASE("b8", "<bundles id='N'/>" APPLIES(YES), "needed", NULL, 0),
		CASE("b9", "<bundles id='N'/>" APPLIES(NO), "not-applicable",
		     "its rules exclude this server", 0),
		CASE("b10", "<bundles id='N'/>" APPLIES(YES) "<installed>" YES "</installed>",
		     "installed", NULL, 0),
		CASE("b11", "<bundles id='Z'/>" APPLIES(YES) "<installed>" OPEN "</installed>",
		     "unknown", NULL, 0),
	};

	TABLE(cases);
}

static void without_facts(void)
{
	struct pd_verdicts v;
	struct pd_facts none = { .json = json_object() };
	struct server s;

	load(&s, HEAD UPDATE("A", PACKAGE("old", "2", "scheme='deb'")) "</catalog>");
	CU_ASSERT(pd_catalogs_judge(&s.list, &none, &v, NULL));
	CU_ASSERT_EQUAL(v.rows[0].verdict, PD_VERDICT_UNKNOWN);
	CU_ASSERT_STRING_EQUAL(v.rows[0].reason, "the installed packages are not known");
	pd_verdicts_clear(&v);
	pd_facts_clear(&none);
	unload(&s);
}

static void freezes(void)
{
	struct server s;
	json_t *j;
	pd_auto_free char *line = NULL;

	load(&s, HEAD "<update id='A' revision='3' kind='security' severity='critical' "
	     "restart='service'><title>t</title><payload id='p' url='pool/old.deb' bytes='12' "
	     "digest='sha256:0000000000000000000000000000000000000000000000000000000000000001'/>"
	     PACKAGE("new", "1", "scheme='deb' restart='reboot'")
	     PACKAGE("old", "2", "scheme='deb' arch='amd64' payload='p'") "</update></catalog>");
	j = pd_verdict_json(&s.verdicts.rows[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	json_object_del(j, "catalog");
	line = pd_json_line(j);
	CU_ASSERT_STRING_EQUAL(line, "{\"id\":\"A\",\"kind\":\"security\",\"packages\":[{"
		"\"arch\":\"amd64\",\"bytes\":12,\"installed\":\"1.0-1\",\"name\":\"old\","
		"\"scheme\":\"deb\",\"sha256\":\"000000000000000000000000000000000000000000000000"
		"0000000000000001\",\"url\":\"pool/old.deb\",\"version\":\"2\"}],"
		"\"restart\":\"service\",\"revision\":\"3\",\"severity\":\"critical\","
		"\"title\":\"t\",\"trust\":\"not signed\"}");
	json_decref(j);
	unload(&s);
}

/* A file is proved as a whole, and has on record what proved its updates; what reads the
 * server itself proves them. */
static void tells_what_proves(void)
{
	static const struct { const char *path, *trust, *own, *want; } cases[] = {
		{ "f", NULL, "", "not signed" }, { "f", "minisign K", "", "minisign K" },
		{ "f", NULL, "openpgp K", "not signed; on record: openpgp K" },
		{ "f", "minisign K", "openpgp L", "minisign K; on record: openpgp L" },
		{ NULL, NULL, "", "not signed" }, { NULL, NULL, "apt: signed", "apt: signed" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pd_catalog c = { .path = (char *)(uintptr_t)cases[i].path,
					.trust = (char *)(uintptr_t)cases[i].trust };
		struct pd_catalog_update u = { .trust = cases[i].own };
		pd_auto_free char *text = pd_trust_text(&c, &u);

		CU_ASSERT_STRING_EQUAL(text, cases[i].want);
	}
}

/* What a reader of a plugin can do wrong, part by part. */
static bool emit(struct pd_builder *b, int what, union pd_part part)
{
	struct pd_emitted e = { .what = what, .line = 7, .column = 3, .part = part };

	return pd_builder_emit(b, &e);
}

#define BEGIN(...) emit(&b, PD_EMIT_BEGIN, (union pd_part){ .head = { __VA_ARGS__ } })
#define RULE_(...) emit(&b, PD_EMIT_RULE, (union pd_part){ .rule = { __VA_ARGS__ } })
#define PART(what, kind, ...) \
	emit(&b, PD_EMIT_##what, (union pd_part){ .kind = { __VA_ARGS__ } })
#define END() emit(&b, PD_EMIT_END, (union pd_part){ .size = 0 })

/* One note, with the text @want; of the update its head is kept, if that is right, with
 * why it is unknown. */
static void is_dropped(struct pd_builder *b, const char *want, bool kept)
{
	struct pd_catalog *c = b->catalog;
	const struct pd_catalog_update *u;

	CU_ASSERT(emit(b, PD_EMIT_END, (union pd_part){ .size = 0 }));
	CU_ASSERT_EQUAL_FATAL(c->len, kept);
	u = c->updates;
	CU_ASSERT_EQUAL_FATAL(c->notes.len, 1);
	if (strcmp(c->notes.items[0], want) != 0)
		printf("\n  %s\n", c->notes.items[0]);
	CU_ASSERT_STRING_EQUAL(c->notes.items[0], want);
	if (kept) {
		CU_ASSERT_EQUAL(u->n_relations + u->n_packages + u->n_payloads + u->n_installers + u->n_exits, 0);
		CU_ASSERT_EQUAL_FATAL(u->n_rules, 1);
		CU_ASSERT_EQUAL(u->rules[0].op, PD_RULE_UNKNOWN);
		CU_ASSERT_STRING_EQUAL(u->rules[0].subject, want + strlen("test:7: update A: "));
	}
	CU_ASSERT_PTR_NULL(*b->err);
	CU_ASSERT(pd_builder_end(b, true));
	pd_catalog_free(c);
}

#define DROPS_(kept, want, ...)                                                    \
	do {                                                                       \
		struct pd_error *err = NULL;                                       \
		struct pd_builder b = { .catalog = pd_catalog_new("test", "test"), .err = &err }; \
										   \
		CU_ASSERT(__VA_ARGS__);                                            \
		is_dropped(&b, want, kept);                                        \
	} while (0)
#define DROPS(want, ...) DROPS_(false, want, __VA_ARGS__)
#define KEEPS(want, ...) DROPS_(true, want, __VA_ARGS__)

static void builder_drops(void)
{
	char long_id[300];

	memset(long_id, 'x', sizeof(long_id));
	long_id[257] = '\0';
	DROPS("test:7: an update needs 1 to 256 characters as its id", BEGIN(.id = ""));
	DROPS("test:7: an update needs 1 to 256 characters as its id", BEGIN(.id = NULL));
	DROPS("test:7: an update needs 1 to 256 characters as its id", BEGIN(.id = long_id));
	DROPS("test:7: an update needs 1 to 256 characters as its id", BEGIN(.id = "a\33[1m"));
	DROPS("test:7: the id of an update is not valid UTF-8", BEGIN(.id = "\xff"));
	DROPS("test:7: update A: the severity of an update is 9, which is unknown",
	      BEGIN(.id = "A", .severity = 9));
	DROPS("test:7: update A: the title of an update is not valid UTF-8",
	      BEGIN(.id = "A", .title = "\xff"));
	KEEPS("test:7: update A: a relation has no target",
	      BEGIN(.id = "A") && PART(RELATION, relation, .kind = PD_REL_ALIAS));
	KEEPS("test:7: update A: the kind of a relation is 0, which is unknown",
	      BEGIN(.id = "A") && PART(RELATION, relation, .target = "B"));
	KEEPS("test:7: update A: package a comes from payload 1, and there are 0 before it",
	      BEGIN(.id = "A") && PART(PACKAGE, package, .name = "a", .version = "1", .payload = 1));
	KEEPS("test:7: update A: a package has no version",
	      BEGIN(.id = "A") && PART(PACKAGE, package, .name = "a", .epoch = "1"));
	KEEPS("test:7: update A: a package needs 1 to 256 characters as its name",
	      BEGIN(.id = "A") && PART(PACKAGE, package, .version = "1"));
	KEEPS("test:7: update A: a payload has no url", BEGIN(.id = "A") &&
	      PART(PAYLOAD, payload, .name = "a"));
	KEEPS("test:7: update A: payload a has no possible size", BEGIN(.id = "A") &&
	      PART(PAYLOAD, payload, .url = "a", .bytes = -2));
	KEEPS("test:7: update A: an installer has no command", BEGIN(.id = "A") &&
	      PART(INSTALLER, installer, .kind = PD_INSTALL));
	KEEPS("test:7: update A: the meaning of an exit status is 8, which is unknown",
	      BEGIN(.id = "A") && PART(EXIT, exit, .meaning = 8));
	KEEPS("test:7: update A: exit status 3 is there twice", BEGIN(.id = "A") &&
	      PART(EXIT, exit, .status = 3) && PART(EXIT, exit, .status = 3));
	KEEPS("test:7: update A: a rule tree is not closed before the other one starts",
	      BEGIN(.id = "A") && RULE_(.tree = 1, .op = PD_RULE_ALL) &&
	      RULE_(.tree = 2, .op = PD_RULE_CLOSE));
	KEEPS("test:7: update A: more rules are closed than were opened", BEGIN(.id = "A") &&
	      RULE_(.tree = 2, .op = PD_RULE_CLOSE));
	KEEPS("test:7: update A: its rules are not closed", BEGIN(.id = "A") &&
	      RULE_(.tree = 1, .op = PD_RULE_ALL));
	KEEPS("test:7: update A: a test names no kind of fact", BEGIN(.id = "A") &&
	      RULE_(.tree = 1, .op = PD_RULE_TEST));
	KEEPS("test:7: update A: a test that compares needs a field and a value", BEGIN(.id = "A") &&
	      RULE_(.tree = 1, .op = PD_RULE_TEST, .kind = "os", .field = "id", .compare = PD_CMP_EQ));
	KEEPS("test:7: update A: a call names no update", BEGIN(.id = "A") &&
	      RULE_(.tree = 1, .op = PD_RULE_CALL));
	KEEPS("test:7: update A: a rule that is never known does not say why", BEGIN(.id = "A") &&
	      RULE_(.tree = 1, .op = PD_RULE_UNKNOWN));
	KEEPS("test:7: update A: facts of kind boot have no field x; expected id, loader, no_fallback or started",
	      BEGIN(.id = "A") && RULE_(.tree = 1, .op = PD_RULE_ANY, .kind = "boot", .field = "x"));
}

/* Told before the update that has the package. */
static void keeps_replacers(void)
{
	struct pd_catalog *c = pd_catalog_new("test", "test");
	struct pd_error *err = NULL;
	struct pd_builder b = { .catalog = c, .err = &err, .replacing = true };

	CU_ASSERT(PART(PACKAGE, package, .name = "a", .version = "1", .release = "2", .arch = "noarch",
		       .replaces = "old < 1:2"));
	CU_ASSERT(PART(PACKAGE, package, .name = "a", .version = "2", .replaces = "older"));
	CU_ASSERT(PART(PACKAGE, package, .name = "a", .version = "3", .replaces = "old <"));
	CU_ASSERT_EQUAL_FATAL(c->notes.len, 1);
	CU_ASSERT_STRING_EQUAL(c->notes.items[0], "test:7: what package a replaces has to be NAME or "
			       "NAME < VERSION, with commas between");
	CU_ASSERT(BEGIN(.id = "B") && END()); /* of which nothing else counts */
	b.replacing = false;
	CU_ASSERT(BEGIN(.id = "A") &&
		  PART(PACKAGE, package, .name = "a", .version = "1-2", .arch = "noarch") &&
		  PART(PACKAGE, package, .name = "a", .version = "1-2", .arch = "i686") && END());
	CU_ASSERT(pd_builder_end(&b, true));
	CU_ASSERT_EQUAL_FATAL(c->len, 1);
	CU_ASSERT_STRING_EQUAL(c->updates[0].packages[0].replaces, "old < 1:2");
	CU_ASSERT_STRING_EQUAL(c->updates[0].packages[1].replaces, "");
	pd_catalog_free(c);
}

static void builder_goes_on(void)
{
	struct pd_catalog *c = pd_catalog_new("test", "test");
	struct pd_error *err = NULL;
	struct pd_builder b = { .catalog = c, .err = &err };

	CU_ASSERT(PART(PACKAGE, package, .name = "a", .version = "1"));
	CU_ASSERT(END());
	CU_ASSERT_EQUAL(c->ignored, 2); /* both outside of an update */
	/* what follows a refused part is not told again */
	CU_ASSERT(BEGIN(.id = "Z") && RULE_(.tree = 9) && RULE_(.tree = 9) && END());
	CU_ASSERT_EQUAL(c->ignored, 3);
	CU_ASSERT(BEGIN(.id = "A") && PART(PAYLOAD, payload, .url = "x/y") &&
		  PART(PACKAGE, package, .name = "a", .version = "1", .epoch = "2",
		       .release = "3", .payload = 1) && END());
	CU_ASSERT_EQUAL_FATAL(c->len, 2);
	CU_ASSERT_STRING_EQUAL(c->updates[1].packages[0].version, "2:1-3");
	CU_ASSERT_STRING_EQUAL(c->updates[1].payloads[0].name, "y");
	CU_ASSERT_STRING_EQUAL(c->updates[1].title, "");
	CU_ASSERT_EQUAL(c->updates[1].line, 7);
	CU_ASSERT(PART(IGNORED, ignored, .line = 9, .what = "a thing"));
	CU_ASSERT(PART(IGNORED, ignored, .what = "\xff"));
	CU_ASSERT_STRING_EQUAL(c->notes.items[3], "test:9: a thing");
	CU_ASSERT_STRING_EQUAL(c->notes.items[4], "test: the what of a note is not valid UTF-8");
	CU_ASSERT(BEGIN(.id = "B") && BEGIN(.id = "C") && END() && BEGIN(.id = "D"));
	CU_ASSERT(pd_builder_end(&b, true));
	CU_ASSERT_EQUAL_FATAL(c->len, 3);
	CU_ASSERT_STRING_EQUAL(c->updates[2].id, "C");
	CU_ASSERT_EQUAL_FATAL(c->notes.len, 7);
	CU_ASSERT_STRING_EQUAL(c->notes.items[5],
		"test:7: update B: it was not ended before the next one began");
	CU_ASSERT_STRING_EQUAL(c->notes.items[6], "test:7: update D: the catalog ends inside of it");
	pd_catalog_free(c);
}

static void builder_ends(void)
{
	struct pd_catalog *c = pd_catalog_new("test", "test");
	struct pd_error *err = NULL;
	struct pd_builder b = { .catalog = c, .err = &err, .strict = true };
	pd_auto_free char *text = NULL;

	CU_ASSERT(BEGIN(.id = "A"));
	CU_ASSERT_FALSE(RULE_(.tree = 9));
	CU_ASSERT_PTR_NOT_NULL_FATAL(err);
	text = pd_error_text(err);
	CU_ASSERT_STRING_EQUAL(text, "test:7:3: update A: the tree of a rule is 9, which is unknown");
	CU_ASSERT_STRING_EQUAL(err->id, "catalog-update");
	CU_ASSERT(pd_builder_end(&b, false));
	pd_error_free(err);
	pd_catalog_free(c);
}

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Shown, not asserted: machines differ. */
static void takes_how_long(void)
{
	struct pd_buffer text = {0};
	struct server s;
	struct pd_verdicts v;
	double start;

	pd_buffer_text(&text, HEAD);
	for (int i = 0; i < 1000; i++)
		pd_buffer_print(&text, UPDATE("U%d", PACKAGE("p%d", "2", "scheme='deb'")
				PACKAGE("p%d", "2", "scheme='deb' arch='amd64'")),
				i, i, (i * 7) % 2000);
	pd_buffer_text(&text, "</catalog>");
	start = milliseconds();
	load(&s, text.data);
	printf("\n  read %.1f ms", milliseconds() - start);
	for (int i = 0; i < 2000; i++) {
		pd_auto_free char *name = pd_print("p%d", i);
		pd_auto_json *row = json_pack("{s:s,s:s,s:s,s:s}", "name", name, "version",
					      i % 2 ? "1" : "3", "arch", "amd64", "scheme", "deb");

		CU_ASSERT(pd_facts_add(&s.facts, "packages", row, NULL));
	}
	start = milliseconds();
	CU_ASSERT(pd_catalogs_judge(&s.list, &s.facts, &v, NULL));
	printf(", judge 1,000 updates over 2,000 packages %.1f ms ", milliseconds() - start);
	CU_ASSERT_EQUAL(v.rows[1].verdict, PD_VERDICT_NEEDED);
	CU_ASSERT_EQUAL(v.rows[2].verdict, PD_VERDICT_INSTALLED);
	pd_verdicts_clear(&v);
	unload(&s);
	pd_buffer_clear(&text);
}

static CU_TestInfo tests[] = {
	{ "verdicts by packages", judges_packages },
	{ "verdicts over what is replaced", judges_replaced },
	{ "verdicts by rules", judges_rules },
	{ "verdicts by rules and packages", judges_rules_and_packages },
	{ "rules over rows", judges_rows },
	{ "why rules hold", tells_why },
	{ "rules that are shared", calls_shared_rules },
	{ "shared rules are asked once", remembers_shared_rules },
	{ "supersedence", judges_supersedence },
	{ "bundles", judges_bundles },
	{ "nothing known", without_facts },
	{ "what a plan freezes", freezes },
	{ "what proves an update", tells_what_proves },
	{ "what readers do wrong", builder_drops },
	{ "what packages replace", keeps_replacers },
	{ "and what then goes on", builder_goes_on },
	{ "or not, with a strict one", builder_ends },
	{ "time", takes_how_long },
	CU_TEST_INFO_NULL
};

PD_UNIT_MAIN("catalog", tests);
