# SPDX-License-Identifier: MIT
reportdir = $(scriptdir)/report
dist_report_DATA = %reldir%/csv.xsl %reldir%/html.xsl %reldir%/report.rng %reldir%/text.xsl
