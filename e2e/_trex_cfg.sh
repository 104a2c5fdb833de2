# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# For scripts with a real TRex: write_trex_cfg makes trex_cfg.yaml, by which it listens at two memif
# sockets, port0 and port1 in $scratch.

write_trex_cfg() {
	cat >trex_cfg.yaml <<-END
		- version: 2
		  port_limit: 2
		  low_end: true
		  low_end_core: 0
		  limit_memory: 400
		  prefix: at
		  interfaces:
		    - '--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=${scratch?}/port0,rsize=10,bsize=2048'
		    - '--vdev=net_memif1,role=server,id=0,socket-abstract=no,socket=$scratch/port1,rsize=10,bsize=2048'
		  port_info:
		    - {src_mac: '02:00:00:00:00:01', dest_mac: '02:00:00:00:00:02'}
		    - {src_mac: '02:00:00:00:00:03', dest_mac: '02:00:00:00:00:04'}
	END
}
