/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "zmq_server.h"

/* For tests: a server in a thread of its own, as in the generator.  Its methods are echo, wait
 * (until somebody lets it go on), ring (the doorbell) and busy, which fails. */
struct served {
	struct zmq_server_conf conf;
	struct loop *loop;
	struct zmq_server *server;
	struct err err;
	int rc;
	sem_t ready;
	sem_t waiting; /* the method 'wait' posts one and then takes a 'go' */
	sem_t go;
	pthread_t thread;
};

/* 'pub' may be NULL; 's->rc' and 's->err' tell whether it serves. */
void served_start(struct served *s, const char *endpoint, const char *pub);
void served_stop(struct served *s);
