/* SPDX-License-Identifier: MIT */
#pragma once

/* What csv_test.c expects. */

static const char golden_csv[] =
	"measurement,search,trial,frames,mean_frame_size_bytes,kind,accepted_pps,verdict,clas"
	"s,rate_pps,duration_ns,flat_out,elapsed_s,loss_ratio,intended_frames,sent_frames,ref"
	"used_frames,late_frames,received_frames,ok_frames,duplicate_frames,reordered_frames,"
	"corrupt_frames,truncated_frames,misdelivered_frames,reflected_frames,overdue_frames,"
	"foreign_frames,created_frames,dropped_frames,missed_frames,in_flight_frames,lost_fra"
	"mes,unexplained_frames,inside_frames,residual_frames,never_seen_frames,unidentified_"
	"frames,disagreement_frames,balanced,generator_port0_rx_frames,generator_port0_tx_fra"
	"mes,generator_port0_missed_frames,generator_port1_rx_frames,generator_port1_tx_frame"
	"s,generator_port1_missed_frames,latency_samples,latency_min_ns,latency_mean_ns,laten"
	"cy_p50_ns,latency_p90_ns,latency_p99_ns,latency_p999_ns,latency_p9999_ns,latency_max"
	"_ns,latency_accuracy_ns,interrupted,fault,reason,noise_gap_max_ns,noise_gaps_20us,no"
	"ise_gaps_sum_ns,noise_run_delay_ns,noise_steal_ns,noise_nivcsw,noise_gaps_1ms,noise_"
	"gaps_1ms_ns,noise_neighbours_ns,noise_neighbours,noise_psi_ns,noise_ring_slots,hop0_"
	"name,hop0_port0_rx_frames,hop0_port0_tx_frames,hop0_port0_missed_frames,hop0_port1_r"
	"x_frames,hop0_port1_tx_frames,hop0_port1_missed_frames,hop0_created_frames,hop0_in_f"
	"light_frames,hop0_dropped_frames,hop1_name,hop1_port0_rx_frames,hop1_port0_tx_frames"
	",hop1_port0_missed_frames,hop1_port1_rx_frames,hop1_port1_tx_frames,hop1_port1_misse"
	"d_frames,hop1_created_frames,hop1_in_flight_frames,hop1_dropped_frames,link0_lost_fo"
	"rward_frames,link0_lost_backward_frames,link1_lost_forward_frames,link1_lost_backwar"
	"d_frames,link2_lost_forward_frames,link2_lost_backward_frames\r\n"
	"1,1,1,64,64,fixed,,fail,valid,1000000,1000000000,false,1,0.00012,1000000,999900,100,"
	"0,999880,999880,0,0,0,0,0,0,0,0,0,12,5,0,3,0,0,0,20,0,0,true,0,999900,0,999880,0,0,2"
	"000,12000,12345,12031,12031,35000,,,35000,3200,false,,\"lost 120 of 1000000, 100 of "
	"them refused: vnf1 missed 5 at port 0; vnf1 dropped 12 (tx_full 10, runt 2); link 2 "
	"lost 3\",,,,,,,,,,,,,vnf1,999895,0,5,0,999883,0,0,0,tx_full:10 runt:2,vnf2,999883,0,"
	"0,0,999883,0,,,,0,0,0,0,3,0\r\n";
