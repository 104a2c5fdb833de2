/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define TCP "tcp://"

static bool
is_tcp(const char *endpoint)
{
	return strncmp(endpoint, TCP, strlen(TCP)) == 0;
}

bool
listen_is_local(const char *endpoint)
{
	char host[64] = "";
	const char *colon;
	struct in_addr v4;

	if (strcmp(endpoint, "none") == 0 || strncmp(endpoint, "ipc://", 6) == 0 ||
	    strncmp(endpoint, "inproc://", 9) == 0)
		return true;
	colon = strrchr(endpoint, ':');
	if (!is_tcp(endpoint) || colon - endpoint - strlen(TCP) >= sizeof(host))
		return false;
	memcpy(host, endpoint + strlen(TCP), (size_t)(colon - endpoint) - strlen(TCP));
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || strcmp(host, "lo") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

char *
listen_at(const char *endpoint, const char *address)
{
	const char *colon = strrchr(endpoint, ':');
	bool bare_v6 = strchr(address, ':') != NULL && address[0] != '[';

	if (!is_tcp(endpoint) || colon < endpoint + strlen(TCP))
		return xstrdup(endpoint);
	return xasprintf(TCP "%s%s%s%s", bare_v6 ? "[" : "", address, bare_v6 ? "]" : "", colon);
}

static void
move(char **endpoint, const char *address)
{
	char *moved = listen_at(*endpoint, address);

	free(*endpoint);
	*endpoint = moved;
}

int
listen_check(char **rpc, char **pub, const char *address, bool insecure, struct err *err)
{
	const char *open;

	if (insecure && address == NULL)
		return err_usage(err, "--insecure says that --listen ADDRESS may be reached by "
				      "others, and there is none");
	if (address != NULL) {
		move(rpc, address);
		move(pub, address);
	}
	open = !listen_is_local(*rpc) ? *rpc : !listen_is_local(*pub) ? *pub : NULL;
	if (open == NULL)
		return 0;
	if (!insecure || address == NULL)
		return err_usage(
			err,
			"%s can be reached from other machines, and whoever reaches it can "
			"send traffic: nobody has to log in (--listen ADDRESS --insecure if "
			"that is wanted)",
			open);
	LOG(WARN, "%s is open to everybody who can reach it: the protocol knows no passwords",
	    open);
	return 0;
}
