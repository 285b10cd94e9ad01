/* SPDX-License-Identifier: MIT */
/* Functions of the command line: what only people know. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/secret.h"

const char *pd_cli_user(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *p = getpwuid(getuid());

	return sudo && *sudo && pd_utf8_valid(sudo, strlen(sudo)) ? sudo : p ? p->pw_name : "unknown";
}

/* user(): name of the person. */
PD_CORE(user)
{
	return json_string(pd_cli_user());
}

/* line(): what a person types in on the terminal; nil: there is none, or the
 * end of it. */
PD_CORE(line)
{
	char text[1024];

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return NULL;
	fflush(stdout);
	if (!fgets(text, sizeof(text), stdin))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return json_string(pd_utf8_valid(text, strlen(text)) ? text : "");
}

/* answers(file, answers): with those of the file. */
PD_CORE(answers)
{
	pd_auto_json *all = json_deep_copy(json_array_get(args, 1));

	return pd_answers_read(pd_core_text(args, 0), pd_cli_user(), all, err) ?
	       json_incref(all) : NULL;
}

/* answer(value): as it was given on the terminal. */
PD_CORE(answer)
{
	return pd_answer(json_incref(json_array_get(args, 0)), pd_cli_user(), NULL, "terminal");
}

/* Those that a key, a lost terminal or kill(1) sends, and that do something. */
static sigset_t signals_awaited(void)
{
	static const int all[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	struct sigaction now;
	sigset_t set, blocked;

	sigemptyset(&set);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!sigismember(&blocked, all[i]) && sigaction(all[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			sigaddset(&set, all[i]);
	return set;
}

/* One line of the terminal; or 0 with the signal of the set, which is blocked,
 * that came before it. */
static ssize_t line_or_signal(int terminal, const sigset_t *set, char *text, size_t size,
			      int *number)
{
	pd_auto_close int signals = signalfd(-1, set, SFD_CLOEXEC);
	struct pollfd both[] = { { .fd = signals, .events = POLLIN },
				 { .fd = terminal, .events = POLLIN } };
	struct signalfd_siginfo info;

	while (poll(both, 2, -1) < 0 && errno == EINTR)
		;
	if (!(both[0].revents & POLLIN) || read(signals, &info, sizeof(info)) != sizeof(info))
		return read(terminal, text, size);
	*number = (int)info.ssi_signo;
	return 0;
}

/* It is not shown while it is typed.  Whatever signal comes meanwhile, the
 * terminal is as it was before the signal does what it does. */
static ssize_t hidden_line(int terminal, const char *name, char *text, size_t size, int *number)
{
	struct termios before, quiet;
	sigset_t set = signals_awaited(), mask;
	ssize_t n;

	do {
		*number = 0;
		if (tcgetattr(terminal, &before) < 0)
			return 0;
		quiet = before;
		quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
		sigprocmask(SIG_BLOCK, &set, &mask);
		/* what was typed ahead is thrown away, so ask after that */
		tcsetattr(terminal, TCSAFLUSH, &quiet);
		dprintf(terminal, "secret '%s': ", name);
		n = line_or_signal(terminal, &set, text, size, number);
		tcsetattr(terminal, TCSAFLUSH, &before);
		if (*number) {
			dprintf(terminal, "\n");
			raise(*number);
		}
		sigprocmask(SIG_SETMASK, &mask, NULL);
	} while (*number == SIGTSTP); /* and went on: ask again */
	return n;
}

/* What a person types in for a secret, in three tries. */
static char *typed_in(int terminal, const char *name, struct pd_error **err)
{
	const struct rlimit none = { 0, 0 };
	char text[1025] = "", *value = NULL;
	int number = 0;
	bool whole = true;

	setrlimit(RLIMIT_CORE, &none); /* Ctrl-\ would leave it in one */
	for (int tries = 0; !value && whole && tries < 3; tries++) {
		ssize_t n = hidden_line(terminal, name, text, sizeof(text) - 1, &number);

		whole = !number && (n <= 0 || text[n - 1] == '\n');
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\r\n")] = '\0';
		if (whole && strlen(text) >= PD_SECRET_LEAST)
			value = pd_strdup(text);
		sodium_memzero(text, sizeof(text));
	}
	if (number)
		pd_error_set(err, "secret-missing", "the secret '%s' was not typed in: %s", name,
			     strsignal(number));
	else if (!whole)
		pd_error_set(err, "secret-missing", "what was typed in for the secret '%s' has no end of"
			     " line within %zu bytes", name, sizeof(text) - 1);
	else if (!value)
		pd_error_set(err, "secret-missing", "no secret '%s' of at least %u characters was"
			     " typed in", name, PD_SECRET_LEAST);
	return value;
}

/* Every secret of a step can be had now: nothing begins that can't be ended. */
static bool can_be_had(const struct pd_plan_step *s, struct pd_error **err)
{
	const char *param;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)s->args, param, value) {
		const json_t *source = json_object_get(value, "$secret");
		char *secret = source ? pd_secret_fetch(source, err) : NULL;

		if (source && !secret)
			return pd_error_prefix(err, "%s", s->id);
		pd_secret_free(secret);
	}
	return true;
}

bool pd_cli_type_in(const struct pd_plan_step *const *steps, size_t n, struct pd_error **err)
{
	pd_auto_close int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	pd_auto(pd_strings) names = {0};

	for (size_t i = 0; i < n; i++)
		pd_plan_secrets(steps[i], "prompt", &names);
	for (size_t i = 0; i < names.len; i++) {
		char *value;

		if (pd_secret_typed(names.items[i]))
			continue;
		if (terminal < 0)
			return pd_error_set(err, "secret-missing",
					    "there is no terminal to type in the secret '%s'",
					    names.items[i]);
		value = typed_in(terminal, names.items[i], err);
		if (!value)
			return false;
		pd_secret_type(names.items[i], value);
	}
	for (size_t i = 0; i < n; i++)
		if (!can_be_had(steps[i], err))
			return false;
	return true;
}

/* secrets(): those of the plan that was made are there; a person types in what
 * is asked for. */
PD_CORE(secrets)
{
	size_t n = 0;
	pd_auto_free const struct pd_plan_step **steps = pd_alloc((cli->plan->n_steps + 1) * sizeof(*steps));

	for (n = 0; n < cli->plan->n_steps; n++)
		steps[n] = &cli->plan->steps[n];
	return pd_cli_type_in(steps, n, err) ? json_true() : NULL;
}

const struct pd_core_row pd_core_ask[] = {
	{ "answer", answer }, { "answers", answers }, { "line", line }, { "secrets", secrets },
	{ "user", user }, { NULL, NULL }
};
