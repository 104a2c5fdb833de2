/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 200
#define PATIENCE_S 10 /* with a client that says nothing */
#define MAX_HEADERS 8192

struct server {
	struct event_base *base;
	const struct http_page *page;
	const volatile sig_atomic_t *stop;
};

static void
on_request(struct evhttp_request *request, void *arg)
{
	const struct server *s = arg;
	const char *accept =
		evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
	const char *type = "text/plain";
	struct evbuffer *body = evbuffer_new();
	char *text = s->page->make(s->page->arg, accept != NULL ? accept : "", &type);

	evbuffer_add(body, text, strlen(text));
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
	free(text);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	if (*s->stop)
		event_base_loopbreak(s->base);
}

static int
bind_and_run(struct server *s, struct evhttp *http, const char *host, unsigned port,
	     struct err *err)
{
	const struct timeval often = {.tv_usec = LOOK_MS * 1000};
	struct event *look;

	if (evhttp_bind_socket(http, host, (uint16_t)port) < 0)
		return err_set(err, errno != 0 ? errno : EADDRINUSE, "%s:%u: %s", host, port,
			       strerror(errno != 0 ? errno : EADDRINUSE));
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_timeout(http, PATIENCE_S);
	evhttp_set_max_headers_size(http, MAX_HEADERS);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_cb(http, s->page->path, on_request, s);
	look = event_new(s->base, -1, EV_PERSIST, on_look, s);
	event_add(look, &often);
	event_base_dispatch(s->base);
	event_free(look);
	return 0;
}

int
http_serve(const char *host, unsigned port, const struct http_page *page,
	   const volatile sig_atomic_t *stop, struct err *err)
{
	struct server s = {.base = event_base_new(), .page = page, .stop = stop};
	struct evhttp *http = s.base != NULL ? evhttp_new(s.base) : NULL;
	int rc = http != NULL ? bind_and_run(&s, http, host, port, err)
			      : err_set(err, ENOMEM, "there is no room for a server");

	if (http != NULL)
		evhttp_free(http);
	if (s.base != NULL)
		event_base_free(s.base);
	return rc;
}
