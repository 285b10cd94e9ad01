# SPDX-License-Identifier: MIT
TESTS += %reldir%/transfer.sh
dist_check_SCRIPTS += %reldir%/transfer.sh %reldir%/server.py
