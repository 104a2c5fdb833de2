/* SPDX-License-Identifier: MIT */
#include "txstream.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "gen/vm.h"

/* As testpmd's flowgen does: an address, a port, and the checksum. */
static const char program[] =
	"{\"instructions\": ["
	"{\"type\": \"flow_var\", \"name\": \"ip\", \"size\": 4, \"op\": \"inc\", \"step\": 1, "
	"\"init_value\": 167772161, \"min_value\": 167772161, \"max_value\": 167773184}, "
	"{\"type\": \"flow_var\", \"name\": \"port\", \"size\": 2, \"op\": \"inc\", \"step\": 1, "
	"\"init_value\": 1024, \"min_value\": 1024, \"max_value\": 2047}, "
	"{\"type\": \"write_flow_var\", \"name\": \"ip\", \"pkt_offset\": 26, \"add_value\": 0, "
	"\"is_big_endian\": true}, "
	"{\"type\": \"write_flow_var\", \"name\": \"port\", \"pkt_offset\": 34, \"add_value\": 0, "
	"\"is_big_endian\": true}, "
	"{\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 14}]}";

static int
add_program(struct stream *s, struct err *err)
{
	json_t *object = json_loads(program, 0, NULL);
	struct jsonrpc_error e;
	int rc = vm_parse(&s->vm, object, s->frame, s->len, &e);

	json_decref(object);
	if (rc < 0)
		return err_set(err, EINVAL, "%s", e.specific);
	s->vm_users = xcalloc(1, sizeof(*s->vm_users));
	*s->vm_users = 1;
	return 0;
}

int
txstream_init(struct stream *s, enum txstream_kind kind, uint16_t size, double pps,
	      const uint8_t *dst_mac, struct err *err)
{
	struct frame_spec spec;
	int rc;

	*s = (struct stream){
		.enabled = true,
		.self_start = true,
		.rate = pps,
		.len = (uint16_t)(size - FRAME_FCS),
		.frame = xcalloc(1, FRAME_MAX_SIZE),
		.signature = kind == TXSTREAM_SIGNED,
		.flows = 1,
		.next_id = -1,
		.core_id = -1,
	};
	frame_spec_init(&spec);
	memcpy(spec.dst_mac, dst_mac, sizeof(spec.dst_mac));
	spec.size = size;
	rc = frame_build(&spec, s->frame, FRAME_MAX_SIZE, err);
	if (rc >= 0 && kind == TXSTREAM_PROGRAM)
		rc = add_program(s, err);
	if (rc < 0)
		stream_fini(s);
	return rc < 0 ? rc : 0;
}
