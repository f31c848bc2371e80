#!/bin/sh
# Good if nginx runs. Restarting it is left to the service manager: a check that heals hides the failure.
[ -n "$(ps -C nginx --no-heading)" ]
