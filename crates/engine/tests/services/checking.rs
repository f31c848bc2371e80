//! How a service is seen to be well: its checks, and how long it is given.

use crate::common::timeline::check;

/// It is ended, with less patience than its stop timeout, and started again.
#[test]
fn a_check_that_has_been_good_and_fails_is_a_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job stop_timeout 20 check web interval 1 timeout 0.5 rise 1 fall 2
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
300.670000 > exit web 0
  301.431340   run web
301.670000 > exit web 1
  301.670000   web returned Exited(1)
  302.431340   run web
302.670000 > exit web 1
  302.670000   web failed: Exited(1)
  302.670000   job Running -> Stopping: CheckFailed(web)
  302.670000   job Stop
  302.670000   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
  304.670000   ServiceLingers { service: job, since: 2s }
  304.670000   job Kill
305.000000 > gone job signal 9
  305.000000   job Stopping -> Stopped: Done
  305.000000   job Stopped -> Starting: Restart
  305.000000   job Start
305.500000 > running job
  305.500000   job Starting -> Running: Done
  305.500000   run web
305.600000 > services
  305.600000   job is Running wanted restarts 1 moves 0
",
    );
}

/// Nor does anybody have to wait a whole interval for its being good.
#[test]
fn until_it_was_good_once_failing_is_no_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 5 check web interval 1 timeout 0.5 rise 1 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 1
  300.510000   web returned Exited(1)
  300.520000   run web
300.670000 > exit web 1
  300.800000   run web
300.920000 > exit web 1
  301.050000   run web
301.100000 > services
  301.100000   job is Running wanted restarts 0 moves 0
301.170000 > exit web 0
  301.170000   web returned Exited(0)
  301.170000   web succeeded
  301.170000   job hook TakenOver Active epoch 1
  301.170000   save a epoch 1 active
  301.300000   run web
301.300000 > services
  301.300000   job is Running wanted well restarts 0 moves 0
301.420000 > exit web 1
  301.420000   web returned Exited(1)
  301.420000   web failed: Exited(1)
  301.420000   job Running -> Stopping: CheckFailed(web)
  301.420000   job Stop
  301.420000   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
",
    );
}

#[test]
fn it_is_not_given_longer_than_the_grace() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 1 check web interval 10 timeout 5 rise 1 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 1
  300.510000   web returned Exited(1)
  300.520000   run web
300.670000 > exit web 1
  300.800000   run web
300.920000 > exit web 1
  301.050000   run web
301.170000 > exit web 1
  301.300000   run web
  301.500000   end web Terminate
  301.500000   job Running -> Stopping: CheckFailed(web)
  301.500000   job Stop
  301.500000   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
301.600000 > wait
",
    );
}

/// The grace ends between two good runs, of which two make it good.
#[test]
fn what_has_begun_to_answer_by_the_end_of_the_grace_is_given_its_rise() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 1 check web interval 10 timeout 5 rise 2 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 1
  300.510000   web returned Exited(1)
  300.520000   run web
300.670000 > exit web 1
  300.800000   run web
300.920000 > exit web 1
  301.050000   run web
301.170000 > exit web 1
  301.300000   run web
301.420000 > exit web 0
  301.420000   web returned Exited(0)
301.520000 > services
  301.520000   job is Running wanted restarts 0 moves 0
  301.550000   run web
301.670000 > exit web 0
  301.670000   web succeeded
  301.670000   job hook TakenOver Active epoch 1
  301.670000   save a epoch 1 active
301.700000 > services
  301.700000   job is Running wanted well restarts 0 moves 0
",
    );
}

#[test]
fn but_no_longer_than_its_runs_are_good() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 1 check web interval 10 timeout 5 rise 2 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 1
  300.510000   web returned Exited(1)
  300.520000   run web
300.670000 > exit web 1
  300.800000   run web
300.920000 > exit web 1
  301.050000   run web
301.170000 > exit web 1
  301.300000   run web
301.420000 > exit web 0
  301.420000   web returned Exited(0)
  301.550000   run web
301.670000 > exit web 1
  301.670000   web returned Exited(1)
  301.670000   job Running -> Stopping: CheckFailed(web)
  301.670000   job Stop
  301.670000   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
301.700000 > wait
",
    );
}

/// One is on its way; what is told is the other one.
#[test]
fn one_that_begins_to_answer_does_not_help_another_that_does_not() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 1 check one interval 10 timeout 5 rise 2 fall 1 check two interval 10 timeout 5 rise 2 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run one
  300.500000   run two
300.500000 > timer
300.510000 > exit one 1
  300.510000   one returned Exited(1)
300.510000 > exit two 1
  300.510000   two returned Exited(1)
  300.520000   run one
  300.520000   run two
300.600000 > exit one 0
  300.600000   one returned Exited(0)
  300.640000   run one
  301.500000   end one Terminate
  301.500000   end two Terminate
  301.500000   job Running -> Stopping: CheckFailed(two)
  301.500000   job Stop
  301.500000   job failed: CheckFailed(two): Restart { attempt: 1, of: 1, after: 0ns }
301.600000 > wait
",
    );
}

/// Without a grace every bad run counts from the first on, but one is not enough where the figures say three.
#[test]
fn without_grace_it_fails_as_often_as_the_figures_say() {
    check(
        "
router a priority 200 interval 100 addresses none
service job grace 0 check web interval 1 timeout 0.5 rise 1 fall 3
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.510000 > exit web 1
  300.510000   web returned Exited(1)
  301.411340   run web
301.510000 > exit web 1
302.000000 > services
  302.000000   job is Running wanted restarts 0 moves 0
  302.411340   run web
302.510000 > exit web 1
  302.510000   web failed: Exited(1)
  302.510000   job Running -> Stopping: CheckFailed(web)
  302.510000   job Stop
  302.510000   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
303.000000 > wait
",
    );
}

/// The check does not answer at all, as often as its fall says.
#[test]
fn what_hangs_is_a_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check web interval 2 timeout 1 rise 1 fall 2
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
  301.520000   end web Terminate
  301.520000   web timed out after 1s
301.700000 > signal web 15
  301.700000   web returned Signalled(15)
  302.431340   run web
  303.431340   end web Terminate
  303.431340   web timed out after 1s
  303.431340   web failed: took too long
  303.431340   job Running -> Stopping: CheckFailed(web)
  303.431340   job Stop
  303.431340   job failed: CheckFailed(web): Restart { attempt: 1, of: 1, after: 0ns }
304.000000 > wait
304.700000 > signal web 15
",
    );
}

#[test]
fn the_take_over_is_told_when_all_checks_were_good() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check one interval 1 timeout 0.5 check two interval 1 timeout 0.5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run one
  300.500000   run two
300.500000 > timer
300.510000 > exit one 0
  300.510000   one returned Exited(0)
  300.510000   one succeeded
  300.520000   run one
300.600000 > exit two 0
  300.600000   two returned Exited(0)
  300.600000   two succeeded
  300.600000   job hook TakenOver Active epoch 1
  300.600000   save a epoch 1 active
  300.640000   run two
300.700000 > services
  300.700000   job is Running wanted well restarts 0 moves 0
",
    );
}

/// The service is gone; the last run of its check returns.
#[test]
fn what_a_check_says_late_counts_no_more() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check web interval 1 timeout 0.5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
300.670000 > gone job exit 1
  300.670000   end web Terminate
  300.670000   job Running -> Stopped: Ended(Exited(1))
  300.670000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  300.670000   job Stopped -> Starting: Restart
  300.670000   job Start
300.680000 > exit web 1
  300.680000   web returned Exited(1)
301.700000 > running job
  301.700000   job Starting -> Running: Done
  301.700000   run web
301.800000 > exit web 0
  301.800000   web returned Exited(0)
  301.800000   web succeeded
",
    );
}

/// The one hangs and has to be killed first.
#[test]
fn a_check_of_the_last_run_does_not_keep_that_of_the_next_one_back() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check web interval 1 timeout 0.5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
300.670000 > gone job exit 1
  300.670000   end web Terminate
  300.670000   job Running -> Stopped: Ended(Exited(1))
  300.670000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  300.670000   job Stopped -> Starting: Restart
  300.670000   job Start
300.900000 > running job
  300.900000   job Starting -> Running: Done
  302.670000   end web Kill
303.000000 > signal web 9
  303.000000   web returned Signalled(9)
  303.000000   run web
303.010000 > exit web 0
  303.010000   web returned Exited(0)
  303.010000   web succeeded
  303.020000   run web
303.100000 > services
  303.100000   job is Running wanted well restarts 1 moves 0
",
    );
}

/// The check's last run has to be killed, which is nobody's business but its own.
#[test]
fn starts_and_ends_have_their_time_whatever_hangs_in_a_check() {
    check(
        "
router a priority 200 interval 100 addresses none
service job stop_timeout 5 check web interval 1 timeout 0.5
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run web
300.500000 > timer
300.510000 > exit web 0
  300.510000   web returned Exited(0)
  300.510000   web succeeded
  300.510000   job hook TakenOver Active epoch 1
  300.510000   save a epoch 1 active
  300.520000   run web
300.670000 > gone job exit 1
  300.670000   end web Terminate
  300.670000   job Running -> Stopped: Ended(Exited(1))
  300.670000   job failed: Ended(Exited(1)): Restart { attempt: 1, of: 1, after: 0ns }
  300.670000   job Stopped -> Starting: Restart
  300.670000   job Start
  302.670000   end web Kill
303.000000 > signal web 9
  303.000000   web returned Signalled(9)
304.000000 > running job
  304.000000   job Starting -> Running: Done
  304.000000   run web
304.010000 > exit web 0
  304.010000   web returned Exited(0)
  304.010000   web succeeded
  304.020000   run web
304.200000 > hear 192.0.2.2 250
  304.200000   a advertise 200
  304.200000   a Active -> Backup: HigherPriority 250 from 192.0.2.2
  304.200000   a releases its addresses
  304.200000   desired nothing
  304.200000   a notify Backup 200
  304.200000   HandoverUnordered { router: RouterId(0) }
  304.200000   job hook RoleChanged Backup epoch 1
  304.200000   save a epoch 1
  304.200000   end web Terminate
  304.200000   job Running -> Stopping: Role
  304.200000   job Stop
  306.200000   end web Kill
307.000000 > signal web 9
  307.000000   web returned Signalled(9)
308.000000 > gone job exit 0
  308.000000   job Stopping -> Stopped: Done
  308.000000   job AssessReadiness
",
    );
}

#[test]
fn a_check_on_a_standby_does_not_run() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check web interval 1 timeout 0.5
1.000000 > settle
    1.000000   a is Backup priority 200/200 interval 100s down at 300.218750
    1.000000   job is Stopped restarts 0 moves 0
30.000000 > wait
",
    );
}

#[test]
fn a_start_that_takes_too_long_is_a_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job start_timeout 3 stop_timeout 1
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
  303.218750   job Starting -> Stopping: TimedOut
  303.218750   job Stop
  303.218750   job failed: StartTimedOut: Restart { attempt: 1, of: 1, after: 0ns }
  304.218750   ServiceLingers { service: job, since: 1s }
  304.218750   job Kill
305.000000 > gone job signal 9
  305.000000   job Stopping -> Stopped: Done
  305.000000   job Stopped -> Starting: Restart
  305.000000   job Start
305.500000 > running job
  305.500000   job Starting -> Running: Done
  305.500000   job hook TakenOver Active epoch 1
  305.500000   save a epoch 1 active
",
    );
}

#[test]
fn a_start_that_is_refused_is_a_failure() {
    check(
        "
router a priority 200 interval 100 addresses none
service job restart 2/60
300.300000 > settle
  300.300000   a is Active priority 200/200 interval 100s
  300.300000   job is Starting wanted restarts 0 moves 0
300.310000 > refused job no-such-file
  300.310000   job Starting -> Stopped: Refused(no-such-file)
  300.310000   job failed: StartRefused(no-such-file): Restart { attempt: 1, of: 2, after: 0ns }
  300.310000   job Stopped -> Starting: Restart
  300.310000   job Start
300.400000 > refused job no-such-file
  300.400000   job Starting -> Stopped: Refused(no-such-file)
  300.400000   job failed: StartRefused(no-such-file): Restart { attempt: 2, of: 2, after: 0ns }
  300.400000   job Stopped -> Starting: Restart
  300.400000   job Start
300.500000 > refused job no-such-file
  300.500000   job Starting -> Stopped: Refused(no-such-file)
  300.500000   job failed: StartRefused(no-such-file): Move
  300.500000   a fault: ServiceFailed job
  300.500000   a advertise 0
  300.500000   a resigned
  300.500000   a Active -> Initialize: Fault
  300.500000   a releases its addresses
  300.500000   desired nothing
  300.500000   a notify Fault 200
  300.500000   job hook RoleChanged Initialize epoch 1
  300.500000   save a epoch 1
  300.500000   job AssessReadiness
300.600000 > services
  300.600000   job is Stopped restarts 2 moves 1
",
    );
}

#[test]
fn a_standby_that_could_not_start_it_is_told_once() {
    check(
        "
router a priority 200 interval 100 addresses none
service job assess 2
0.000000 > start
    0.000000   job Watch
    0.000000   a Initialize -> Backup: Started
    0.000000   a notify Backup 200
    0.000000   job hook RoleChanged Backup epoch 0
0.001000 > gone job
    0.001000   job Unknown -> Stopped: Found
    0.001000   job AssessReadiness
0.002000 > ready job
    2.001000   job AssessReadiness
2.100000 > unready job no-licence
    2.100000   ReadinessChanged { service: job, readiness: Err(no-licence) }
    4.001000   job AssessReadiness
4.100000 > unready job no-licence
    6.001000   job AssessReadiness
6.100000 > unready job disk-full
    6.100000   ReadinessChanged { service: job, readiness: Err(disk-full) }
    8.001000   job AssessReadiness
8.100000 > ready job
    8.100000   ReadinessChanged { service: job, readiness: Ok(()) }
8.200000 > services
    8.200000   job is Stopped ready restarts 0 moves 0
",
    );
}

#[test]
fn one_good_check_does_not_outweigh_another_that_fails() {
    check(
        "
router a priority 200 interval 100 addresses none
service job check one interval 1 timeout 0.5 check two interval 1 timeout 0.5 fall 1
300.500000 > serve
  300.500000   a is Active priority 200/200 interval 100s
  300.500000   job is Running wanted restarts 0 moves 0
  300.500000   run one
  300.500000   run two
300.500000 > timer
300.510000 > exit one 0
  300.510000   one returned Exited(0)
  300.510000   one succeeded
  300.520000   run one
300.520000 > exit two 0
  300.520000   two returned Exited(0)
  300.520000   two succeeded
  300.520000   job hook TakenOver Active epoch 1
  300.520000   save a epoch 1 active
  300.560000   run two
300.670000 > exit one 0
300.680000 > exit two 1
  300.680000   two returned Exited(1)
  300.680000   two failed: Exited(1)
  300.680000   job Running -> Stopping: CheckFailed(two)
  300.680000   job Stop
  300.680000   job failed: CheckFailed(two): Restart { attempt: 1, of: 1, after: 0ns }
",
    );
}
