#!/bin/sh
# Good if the scheduler's process is there. Both nodes run this all the time, whoever is active.
[ -n "$(pgrep -f org.apache.catalina.startup.Bootstrap)" ]
