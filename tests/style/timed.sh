#!/bin/bash
# SPDX-License-Identifier: MIT
# timed.sh TEST...: runs it, and says at the end of its words how long it took.
TIMEFORMAT='# took %0R s, %1U s and %1S s of processors'
time "$@"
