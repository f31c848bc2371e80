#!/bin/sh
# We are active: collect.
exec systemctl start neuronex
