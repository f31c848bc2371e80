#!/bin/sh
# Keeps a diary of the changes. The argument says which one.
echo "$(date +%H:%M:%S) $1" >> /etc/keepalived/time.txt
