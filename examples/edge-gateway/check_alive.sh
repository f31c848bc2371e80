#!/bin/sh
# Good if the collector answers on its own port.
if ! curl --silent --output /dev/null --max-time 3 http://127.0.0.1:8085/; then
    echo "the collector does not answer"
    exit 1
fi
