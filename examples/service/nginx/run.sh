#!/bin/sh
# Keeps a list of who was active when. Tanist tells the role in the environment.
echo "$(date +%T) $1 $TANIST_ROLE" >> /var/log/roles.txt
