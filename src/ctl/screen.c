/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "session.h"

/* xterm's words, which every terminal of the last thirty years knows. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define HOME "\033[H"
#define TO_END_OF_LINE "\033[K"
#define TO_END_OF_SCREEN "\033[J"

#define KEY_ESCAPE 27
#define KEY_BACKSPACE 127
#define ESCAPE_MS                                                                       \
	20 /* the rest of a sequence follows at once, after the key alone comes nothing \
	    */

static struct {
	struct termios before;
	struct sigaction winch, stop;
	bool open;
} screen;

static void
write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* Interrupts poll, after which everything is drawn again. */
static void
on_resize(int signo)
{
	(void)signo;
}

int
screen_open(struct err *err)
{
	struct sigaction resized = {.sa_handler = on_resize}, ignored = {.sa_handler = SIG_IGN};
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &screen.before) < 0)
		return err_usage(err, "a live view needs a terminal");
	raw = screen.before;
	/* Ctrl-C stays a signal. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	sigaction(SIGWINCH, &resized, &screen.winch);
	/* Stopped, we would leave the terminal as it is now. */
	sigaction(SIGTSTP, &ignored, &screen.stop);
	write_all(ENTER, strlen(ENTER));
	screen.open = true;
	return 0;
}

void
screen_close(void)
{
	if (!screen.open)
		return;
	write_all(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	sigaction(SIGWINCH, &screen.winch, NULL);
	sigaction(SIGTSTP, &screen.stop, NULL);
	screen.open = false;
}

void
screen_size(unsigned *cols, unsigned *rows)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	*cols = size.ws_col;
	*rows = size.ws_row;
}

void
screen_draw(const char *text)
{
	struct str out = {0};
	const char *end;

	str_addf(&out, HOME);
	while ((end = strchr(text, '\n')) != NULL) {
		str_addn(&out, text, (size_t)(end - text));
		text = end + 1;
		/* A newline behind the last line would move all of them up. */
		str_addf(&out, TO_END_OF_LINE "%s", *text != '\0' ? "\r\n" : "");
	}
	str_addf(&out, TO_END_OF_SCREEN);
	write_all(out.text, out.len);
	str_fini(&out);
}

/* ---- keys ---- */

/* 0 when none came. */
static unsigned char
read_byte(int timeout_ms)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char byte = 0;

	if (session_stop || poll(&in, 1, timeout_ms) <= 0)
		return 0;
	/* Readable, and nothing there: the terminal is gone, and SIGHUP on its way. */
	return read(STDIN_FILENO, &byte, 1) == 1 ? byte : 0;
}

int
screen_key(int timeout_ms)
{
	unsigned char byte = read_byte(timeout_ms);

	if (byte != KEY_ESCAPE || read_byte(ESCAPE_MS) == 0)
		return byte;
	while (read_byte(ESCAPE_MS) != 0)
		;
	return SCREEN_OTHER;
}

static void
show_line(const char *prompt, const char *text)
{
	unsigned cols, rows;
	struct str out = {0};
	size_t room, skip;

	screen_size(&cols, &rows);
	room = cols > strlen(prompt) + 2 ? cols - strlen(prompt) - 2 : 1;
	skip = strlen(text) > room ? strlen(text) - room : 0;
	str_addf(&out, "\033[%u;1H%s%s" TO_END_OF_LINE "\033[?25h", rows, prompt, text + skip);
	write_all(out.text, out.len);
	str_fini(&out);
}

char *
screen_line(const char *prompt)
{
	struct str line = {0};
	bool done = false, given_up = false;

	str_addn(&line, "", 0);
	while (!done && !given_up) {
		int key;

		show_line(prompt, str_text(&line));
		key = screen_key(1000);
		given_up = session_stop != 0 || key == KEY_ESCAPE;
		done = key == '\r' || key == '\n';
		if ((key == KEY_BACKSPACE || key == '\b') && line.len > 0)
			line.text[--line.len] = '\0';
		else if (key >= ' ' && key != KEY_BACKSPACE)
			str_addf(&line, "%c", key);
	}
	write_all("\033[?25l", strlen("\033[?25l"));
	if (!given_up)
		return str_take(&line);
	str_fini(&line);
	return NULL;
}
